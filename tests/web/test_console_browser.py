"""The console in a real browser: what is typed is run, what is ready-made acts, and what happens elsewhere is seen."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from tests.api import Api
from tests.browser import Page, browsing, chromium, tab

EDITOR: Final = "document.querySelector('.graphiql-query-editor .CodeMirror')"
ANSWER: Final = "document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()"
VARIABLES: Final = "document.querySelector('[aria-label=\"Variables\"] .CodeMirror').CodeMirror.getValue()"
RUN: Final = "document.querySelector('.graphiql-execute-button')"
TOKEN: Final = "document.querySelector('#token')"
VIEWER: Final = "document.querySelector('#viewer').textContent"


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A browser that these tests share."""
    program = chromium()
    if program is None:
        pytest.skip("there is no chromium here: nobody has looked at the console (on Debian: apt-get install chromium)")
    async with browsing(program, tmp_path_factory.mktemp("profile")) as address:
        yield address


@pytest.fixture
async def page(shared_api: Api, browser: str) -> AsyncIterator[Page]:
    """The console as an agent finds it who comes with a token."""
    async with tab(browser) as page:
        await page.go(f"http://{shared_api.address}/graphiql")
        await enter(page, shared_api.as_agent.token)
        await page.until(f"{VIEWER}.startsWith('AGENT until ')")
        yield page


async def enter(page: Page, token: str | None) -> None:
    """Put a token into its field, in place of what is there."""
    await page.until(EDITOR)
    await page.click(TOKEN)
    await page.press("a", "Control")
    await page.type(token or "")


async def write(page: Page, text: str) -> None:
    """Type an operation, in place of what is there."""
    await page.click(f"{EDITOR}.querySelector('.CodeMirror-scroll')")
    await page.until(f"{EDITOR}.CodeMirror.hasFocus()")
    await page.press("a", "Control")
    await page.until(f"{EDITOR}.CodeMirror.somethingSelected()")
    await page.type(text)
    await page.until(f"{EDITOR}.CodeMirror.getValue() === {json.dumps(text)}")


async def choose(page: Page, title: str, name: str) -> None:
    """Open what is ready-made."""
    await page.click(f"[...document.querySelectorAll('.ready button')].find(each => each.textContent.startsWith({json.dumps(title)}))")
    await page.until(f"{EDITOR}.CodeMirror.getValue().includes({json.dumps(name)})")


async def answered(page: Page, word: str) -> Any:
    """The answer in which a word stands."""
    await page.until(f"{ANSWER}.includes({json.dumps(word)})")
    return json.loads(await page.value(ANSWER))


def assert_well(page: Page, api: Api) -> None:
    """Nothing was refused by its policy or went wrong, and nobody else was asked."""
    assert page.complaints == []
    assert page.asked
    assert {address.split("/")[2] for address in page.asked if not address.startswith("data:")} == {api.address}


async def test_a_query_that_is_typed_is_answered(page: Page, shared_api: Api) -> None:
    await write(page, "query Typed { viewer { roles party { name } } }")
    await page.press("Enter", "Control")

    assert (await answered(page, "Alan Church"))["data"] == {"viewer": {"roles": ["AGENT"], "party": {"name": "Alan Church"}}}
    assert_well(page, shared_api)


async def test_a_ready_made_mutation_acts_on_what_is_in_sight(page: Page, shared_api: Api) -> None:
    interaction = await shared_api.as_agent.create(reason="the newest")
    await choose(page, "Report progress", "mutation ReportProgress")
    assert json.loads(await page.until(VARIABLES))["id"] == interaction["id"]

    await page.click(RUN)

    payload = (await answered(page, "reportProgress"))["data"]["reportProgress"]
    assert (payload["errors"], payload["interaction"]["progress"]["percent"]) == ([], 80)
    assert (await shared_api.as_agent.interaction(interaction["id"]))["progress"]["message"] == "The technician is on the way."
    assert_well(page, shared_api)


async def test_what_happens_elsewhere_is_seen_as_it_happens_and_what_cannot_be_followed_is_told(page: Page, shared_api: Api) -> None:
    await choose(page, "Follow everything", "subscription FollowAll")
    await page.click(RUN)
    await answered(page, "CAUGHT_UP")

    interaction = await shared_api.as_agent.create(reason="from outside")
    frame = (await answered(page, "CREATED"))["data"]["interactionEvents"]
    assert (frame["kind"], frame["interactionId"]) == ("EVENT", interaction["id"])

    await shared_api.as_agent.done("reportProgress", id=interaction["id"], message="and further on")
    frame = (await answered(page, "and further on"))["data"]["interactionEvents"]
    assert (frame["interactionId"], frame["event"]["type"]) == (interaction["id"], "PROGRESS_REPORTED")

    await page.click(RUN)  # which by now ends it
    await write(page, 'subscription { interactionProgress(interactionId: "int_unknown") { kind } }')
    await page.click(RUN)
    (error,) = (await answered(page, "errors"))["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert_well(page, shared_api)


async def test_another_token_is_another_viewer_with_operations_of_its_own_and_a_bad_one_is_told(page: Page, shared_api: Api) -> None:
    await enter(page, shared_api.as_customer.token)
    await page.until(f"{VIEWER}.startsWith('CUSTOMER until ')")
    titles = await page.until("[...document.querySelectorAll('.ready b')].map(each => each.textContent)")
    assert "My interactions" in titles
    assert "Take it" not in titles

    await choose(page, "Who am I?", "query WhoAmI")
    await page.click(RUN)

    assert (await answered(page, "CUSTOMER"))["data"]["viewer"]["party"]["name"] == "Ada Hopper"
    assert_well(page, shared_api)

    await enter(page, "eyJ.no.token")
    await page.until(f"{VIEWER}.includes('valid access token')")


async def test_the_token_stays_in_its_tab_and_ends_with_it(page: Page, shared_api: Api) -> None:
    token = shared_api.as_agent.token
    await enter(page, token)
    await page.until(f"sessionStorage.getItem('hub-token') === {json.dumps(token)} && {VIEWER}.startsWith('AGENT')")
    await choose(page, "The desk", "query Desk")
    await page.click(RUN)
    await answered(page, "totalCount")

    assert await page.value("[localStorage.length, document.cookie]") == [0, ""]
    elsewhere = await page.value("JSON.stringify({...sessionStorage, 'hub-token': ''})")
    assert token not in elsewhere

    await page.call("Page.reload")
    await page.until(f"!document.querySelector('.ready h2').textContent.includes('Ready') && {VIEWER}.startsWith('AGENT until ')")
    assert_well(page, shared_api)


async def test_documentation_history_and_settings_open_under_its_policy(page: Page, shared_api: Api) -> None:
    await page.until("document.querySelector('.graphiql-execute-button') && !document.querySelector('.graphiql-spinner')")
    await page.click("document.querySelector('[aria-label=\"Show Documentation Explorer\"]')")
    await page.until("document.querySelector('.graphiql-plugin').textContent.includes('Mutation')")
    await page.click("document.querySelector('[aria-label=\"Show History\"]')")
    await page.until("document.querySelector('.graphiql-history')")
    await page.click("document.querySelector('[aria-label=\"Open settings dialog\"]')")
    await page.click("[...document.querySelectorAll('[role=dialog] button')].find(each => each.textContent === 'Dark')")
    await page.until("document.body.classList.contains('graphiql-dark')")

    assert_well(page, shared_api)
