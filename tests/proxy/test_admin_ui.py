"""The Admin UI of a proxy without a database, in a headless Chromium: both providers are in it.

Without a database the UI's own login is refused, and so is saving; with the cookie that the login would set, the pages
show. They are compiled, with the logos of upstream's providers in them: ours have their first letter instead.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from proxy.browser import Browser
from proxy.gateway import Gateway

PLACEHOLDERS = {"Lexiq Nova": "https://api.lexiq-nova.com", "Lexiq Nova (local)": "http://localhost:8000"}
"""What the field for the base shows while it is empty, by the provider's name."""
CHOICE = "document.querySelector('#custom_llm_provider')"
OPTIONS = "[...document.querySelectorAll('[role=option]')]"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path) as started:
        yield started


def session(gateway: Gateway) -> str:
    """The cookie of a UI session of the admin, as the proxy signs it."""
    claims = {"user_id": "admin", "user_role": "proxy_admin", "key": gateway.key, "exp": int(time.time()) + 600}
    return jwt.encode({**claims, "login_method": "username_password"}, gateway.key, algorithm="HS256")


def test_the_model_hub_shows_both_providers(gateway: Gateway, browser: Browser) -> None:
    browser.open(f"{gateway.url}/ui/model_hub_table/")

    browser.wait("document.body?.innerText.includes('lexiq-nova-local')")
    shown = browser.run("[...document.querySelectorAll('tr')].map(row => row.innerText)")
    for model, provider in {"lexiq-nova-chat": "Remodlai", "lexiq-nova-local": "Lexiq_nova"}.items():
        assert any(model in row and provider in row for row in shown), shown


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_the_form_that_adds_a_model(gateway: Gateway, browser: Browser, name: str) -> None:
    browser.command("Network.setCookie", name="token", value=session(gateway), url=f"{gateway.url}/")
    browser.open(f"{gateway.url}/ui/models-and-endpoints/")
    tab = "[...document.querySelectorAll('[role=tab]')].find(tab => tab.innerText.trim() == 'Add Model')"
    browser.wait(f"!!{tab}")
    browser.run(f"{tab}.click()")

    browser.wait(f"!!{CHOICE}")
    browser.run(f"{CHOICE}.focus(); {CHOICE}.select()")
    browser.command("Input.insertText", text="Lexiq Nova")
    browser.wait(f"{OPTIONS}.length == 2 && {OPTIONS}.every(option => option.innerText.includes('Lexiq'))")
    texts = browser.run(f"{OPTIONS}.map(option => option.innerText.split('\\n'))")
    assert texts == [["R", "Lexiq Nova"], ["L", "Lexiq Nova (local)"]], "an initial for a logo, and the name"
    browser.run(f"{OPTIONS}.find(option => option.innerText.endsWith({json.dumps(name)})).click()")

    browser.wait(f"document.querySelector('#api_base')?.placeholder == {json.dumps(PLACEHOLDERS[name])}")
    field: Any = browser.run("(key => ({type: key.type, required: key.required}))(document.querySelector('#api_key'))")
    assert field == {"type": "password", "required": False}
