# The terminal in which the bash blocks of the documents run (support/documents.py): ROOT is the repository, PYTHON the
# interpreter. Commands that would take too long here, or are tests or installations of their own, do less.
set -euo pipefail

make() { command make -C "$ROOT" --dry-run "$@" > /dev/null; }
pytest() { (cd "$ROOT"; "$PYTHON" -m pytest --collect-only --quiet "$@" > /dev/null); }
python() { "$PYTHON" "$@"; }
lexiq-nova() { "$PYTHON" -m litellm.llms.remodlai "$@"; }
curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }
pip() { echo "pip $*" >> commands; }
uv() { echo "uv $*" >> commands; }
litellm() { echo "$*" > proxy; }

# Programs that are not installed here: each sends what the program sends, by the settings that the documents name.
post() {  # URL KEY BODY WORD: the answer has the word
  curl "$1" -H "Authorization: Bearer $2" -H "Content-Type: application/json" -H "anthropic-version: 2023-06-01" \
    -d "$3" | grep -q "$4"
}
claude() {
  local model
  for model in "$ANTHROPIC_MODEL" "$ANTHROPIC_DEFAULT_HAIKU_MODEL"; do
    post "$ANTHROPIC_BASE_URL/v1/messages?beta=true" "$ANTHROPIC_AUTH_TOKEN" \
      '{"model": "'"$model"'", "max_tokens": 20, "stream": true, "messages": [{"role": "user", "content": "Hello"}]}' \
      message_stop
  done
}
setting() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" config.toml; }
codex() {
  local key
  key=$(setting env_key)
  test "$(setting wire_api)" = responses
  grep -q "^\[model_providers.$(setting model_provider)\]" config.toml
  post "$(setting base_url)/responses" "${!key}" \
    '{"model": "'"$(setting model)"'", "stream": true, "input": [{"role": "user", "content": "Hello"}]}' \
    response.completed
}
open-webui() {
  curl "$OPENAI_API_BASE_URL/models" -H "Authorization: Bearer $OPENAI_API_KEY" | grep -q lexiq-nova-chat
  post "$OPENAI_API_BASE_URL/chat/completions" "$OPENAI_API_KEY" \
    '{"model": "lexiq-nova-chat", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}' DONE
}
