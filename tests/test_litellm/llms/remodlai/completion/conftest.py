import litellm.llms.remodlai.completion.handler as h
o=h._fault
def f(x):
    r=o(x); import time
    if r: print("FAULT", time.time(), r, repr(x), repr(getattr(x,'__cause__',None)), [l for l in [h.running_engines()]])
    return r
h._fault=f
