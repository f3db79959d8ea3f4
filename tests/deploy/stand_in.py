"""A replica of vLLM without a model: `python -m deploy.stand_in SERVED_MODEL_NAME HOST PORT`, key in VLLM_API_KEY."""

import os
import sys

from proxy.backend import paused, serving

from support.recording import RecordingServer, Request, Response

PAUSE_SECONDS = 0.1
"""Before an answer and between the chunks of a stream, so that calls are running whenever something is lost."""


def main(served_model_name: str, host: str, port: int) -> None:
    respond = paused(serving(os.environ["VLLM_API_KEY"]), PAUSE_SECONDS)

    def answer(request: Request) -> Response:
        if request.body and request.json()["model"] != served_model_name:
            return Response(404, json={"error": {"message": f"The model `{request.json()['model']}` does not exist."}})
        return respond(request)

    with RecordingServer(answer, host=host, port=port):
        sys.stdin.read()  # until the test that started it is gone


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
