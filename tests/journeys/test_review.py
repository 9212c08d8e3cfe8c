"""A reviewed class: a reviewer is named, sees it before its audience, cuts it in time, resumes, opens the evidence."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.classroom import Classroom
from tests.journeys.conftest import AsPerson
from tests.journeys.person import Person
from tests.journeys.player import Player

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(240)]

LIVE_MS = 40_000
SECONDS = re.compile(r"^\d\.\d")
STAYS = "() => { window.stayed = document.querySelector('video') }"


def test_a_class_is_reviewed_ahead_cut_and_resumed(as_person: AsPerson, classroom: Classroom) -> None:
    made = classroom.a_class()
    name_a_reviewer(as_person("academic"), made)
    reviewer, teacher, learner = as_person("publicity"), as_person("teacher"), as_person("learner")
    classroom.publish(address_of(teacher, made))
    see_it_ahead(reviewer, made)
    learner.page.goto(f"/sessions/{made['id']}/watch")
    expect(learner.at("watch")).to_have_attribute("data-scene", "live", timeout=LIVE_MS)
    Player(learner.page).plays()
    send_away_and_let_in_again(teacher, learner, made)
    cut_and_resume(reviewer, learner)
    assert learner.status_of("POST", f"/sessions/{made['id']}/playback?view=preview") == 201, "of the audience's kind"
    teacher.press("session-end")
    teacher.press("end-confirm")
    expect(reviewer.at("review-waiting")).to_be_visible(timeout=LIVE_MS)
    open_the_evidence(reviewer, made)


def name_a_reviewer(academic: Person, made: dict[str, Any]) -> None:
    academic.page.goto(f"/sessions/{made['id']}")
    expect(academic.at("reviewer-name")).to_have_text("未指定")
    academic.press("reviewer-pick")
    academic.at("reviewer-select").click()
    academic.at("reviewer-select").locator("input").fill("吴宣传")
    academic.page.get_by_role("option", name="吴宣传").click()
    academic.press("reviewer-confirm")
    expect(academic.at("reviewer-name")).to_have_text("吴宣传")


def address_of(teacher: Person, made: dict[str, Any]) -> str:
    teacher.page.goto(f"/sessions/{made['id']}")
    teacher.press("key-show")
    return f"{teacher.at('server-value').inner_text()}/{teacher.at('key-value').inner_text()}"


def see_it_ahead(reviewer: Person, made: dict[str, Any]) -> None:
    reviewer.page.goto(f"/sessions/{made['id']}/review")
    expect(reviewer.at("review-gate")).to_have_attribute("data-gate", "open", timeout=LIVE_MS)
    Player(reviewer.page).plays()
    clock = reviewer.at("review-clock")
    expect(clock).to_have_attribute("data-ahead", "ample", timeout=LIVE_MS)
    expect(reviewer.at("review-left")).to_have_text(SECONDS)


def send_away_and_let_in_again(teacher: Person, learner: Person, made: dict[str, Any]) -> None:
    learner.expect(r"403 (GET /live|POST .*/playback)")
    learner.expect("console error")
    teacher.page.locator('[data-test^="viewer-remove-"]').first.click()
    teacher.at("viewer-remove-reason").fill("账号外借")
    teacher.press("viewer-remove-confirm")
    expect(teacher.page.locator('[data-test^="removed-"]')).to_contain_text("王同学")
    expect(learner.at("player-problem")).to_contain_text("移出", timeout=LIVE_MS)
    assert learner.status_of("POST", f"/sessions/{made['id']}/playback") == 403
    teacher.page.locator('[data-test^="viewer-readmit-"]').click()
    expect(teacher.page.locator('[data-test^="removed-"]')).to_have_count(0)
    learner.press("player-retry")
    Player(learner.page).plays()


def cut_and_resume(reviewer: Person, learner: Person) -> None:
    """The learner's player stays: it shows the holding picture, and the class again, from the stream itself."""
    learner.page.evaluate(STAYS)
    reviewer.at("reason-person").check(force=True)
    reviewer.press("review-cut")
    expect(reviewer.at("review-state")).to_have_attribute("data-state", "cut")
    expect(reviewer.at("review-why")).to_contain_text("有人误入画面")
    watch, band, mark = learner.at("watch"), learner.at("watch-band"), learner.at("live-mark")
    expect(watch).to_have_attribute("data-scene", "cut", timeout=LIVE_MS)
    expect(band).to_contain_text("直播已由审核人员暂停")
    expect(mark).to_have_attribute("data-paused", "true", timeout=LIVE_MS)
    Player(learner.page).plays()
    step_over_the_pause(learner)
    Player(reviewer.page).plays()
    reviewer.press("review-resume")
    expect(reviewer.at("review-state")).to_have_attribute("data-state", "live")
    expect(watch).to_have_attribute("data-scene", "live", timeout=LIVE_MS)
    expect(mark).not_to_have_attribute("data-paused", "true", timeout=LIVE_MS)
    expect(band).to_be_empty()
    Player(learner.page).plays()
    expect(learner.at("seek-pause")).to_have_count(1)
    assert learner.page.evaluate("window.stayed.isConnected && document.querySelector('video') === window.stayed")


def step_over_the_pause(learner: Person) -> None:
    """Back from the holding picture is into the class, and live again is the picture; the bar shows where it lies."""
    before = Player(learner.page).position()
    learner.page.keyboard.press("ArrowLeft")
    expect(learner.at("behind-mark")).to_be_visible()
    assert Player(learner.page).position() < before - 4
    Player(learner.page).plays()
    expect(learner.at("seek-pause")).to_have_count(1)
    learner.press("back-to-live")
    expect(learner.at("live-mark")).to_have_attribute("data-paused", "true")


def open_the_evidence(reviewer: Person, made: dict[str, Any]) -> None:
    reviewer.press("nav-evidence")
    listed = reviewer.page.get_by_role("link", name=made["title"]).first
    expect(reviewer.at("evidence")).to_contain_text("有人误入画面", timeout=LIVE_MS)
    listed.click()
    expect(reviewer.page.get_by_role("heading", level=1)).to_have_text(made["title"])
    expect(reviewer.at("evidence-cuts")).to_contain_text("吴宣传")
    reviewer.at("evidence-reason").fill("复核切断是否恰当")
    reviewer.press("evidence-confirm")
    Player(reviewer.page).plays()
