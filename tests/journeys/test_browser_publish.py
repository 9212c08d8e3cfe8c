"""A lesson with no encoder but the page: by WHIP, watched live, broken off and gone on with, its end replayed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect, sync_playwright

from tests.journeys.classroom import Classroom
from tests.journeys.conftest import CHROMIUM, FLAGS, PATIENCE_MS, AsPerson
from tests.journeys.person import Person
from tests.journeys.player import Player
from tests.kit.house import House

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(150)]

# A shared screen is the sharing page itself.
FAKE_DEVICES = (
    "--use-fake-device-for-media-stream=fps=30,display-media-type=browser",
    "--use-fake-ui-for-media-stream",
)
CONNECTED_MS = 20_000
GONE_MS = 15_000
STILL_MS = 20_000
BACK_MS = 60_000
HUNG_UP_MS = 5_000
SAID_GOODBYE_MS = 8_000
CODED_MS = 60_000
RECORDED_SECONDS = 4
WHIP = "**/whip/*"
# A page that is hung up on asks why, and is told that it was by order.
ENDED = r"410 DELETE /whip/"
# What its own decoder has made of the sound so far; playing without a picture or without sound is told apart by it.
HEARD = "() => document.querySelector('video').webkitAudioDecodedByteCount > 0"

# Keeps the page's connections where a test finds them.
KEEP_PEERS = """window.peers = []; window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peers.push(this) }
}"""
PICTURE_SENDER = "peers.at(-1).getSenders().find(one => one.track && one.track.kind === 'video')"
SHRINK = f"() => {PICTURE_SENDER}.track.applyConstraints({{ width: 640, height: 360 }})"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium with a camera that shows a test picture and a microphone that beeps, both allowed."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *FAKE_DEVICES])
        yield started
        started.close()


def test_a_lesson_from_the_browser(as_person: AsPerson, classroom: Classroom) -> None:
    lesson = classroom.a_class()
    teacher, learner = as_person("teacher"), as_person("learner")
    teacher.page.add_init_script(KEEP_PEERS)
    open_the_panel(teacher, lesson)
    publish(teacher)
    see_the_encoder(teacher, take=1)
    the_size_is_kept(teacher)
    player = watch_live(learner, lesson)
    assert player.size() == (1280, 720)
    another_tab_is_told_no(teacher, lesson)
    stop(teacher)
    edge = player.edge()
    publish(teacher)
    see_the_encoder(teacher, take=2)
    player.reaches(edge + RECORDED_SECONDS)
    assert player.discontinuities() == 1, "no break but the one between both takes"
    change_size(teacher, player)
    kicked_in_words(teacher)
    publish(teacher)
    see_the_encoder(teacher, take=3)
    leave_the_page(teacher)
    end(teacher)
    replay(learner)
    work_is_done(teacher, learner.page.url.rsplit("/", 1)[-1], takes=3)


def test_a_screen_that_stands_still(as_person: AsPerson, classroom: Classroom) -> None:
    """Of slides a browser sends one picture a second and the sound between: it plays live, is encoded and replayed."""
    lesson = classroom.a_class()
    teacher, learner = as_person("teacher"), as_person("learner")
    teacher.page.add_init_script(KEEP_PEERS)
    open_the_panel(teacher, lesson)
    teacher.press("publish-screen")
    change_of_mind(teacher)
    publish(teacher)
    teacher.page.evaluate("document.body.style.visibility = 'hidden'")
    expect(teacher.at("encoder-frame_rate")).to_contain_text(re.compile(r"\b[12](\.\d)? 帧/秒"), timeout=STILL_MS)
    player = watch_live(learner, lesson)
    player.reaches(player.position() + RECORDED_SECONDS)
    assert player.discontinuities() == 0
    teacher.page.evaluate("document.body.style.visibility = ''")
    end(teacher)
    replay(learner)
    work_is_done(teacher, learner.page.url.rsplit("/", 1)[-1], takes=1)


def test_the_ingest_process_is_killed(as_person: AsPerson, classroom: Classroom, house: House) -> None:
    """The page comes back by itself, with the same camera, and a learner goes on watching."""
    lesson = classroom.a_class()
    teacher, learner = as_person("teacher"), as_person("learner")
    teacher.page.add_init_script(KEEP_PEERS)
    open_the_panel(teacher, lesson)
    publish(teacher)
    see_the_encoder(teacher, take=1)
    player = watch_live(learner, lesson)
    edge = player.edge()
    camera = teacher.page.evaluate(f"{PICTURE_SENDER}.track.id")
    for one in (teacher, learner):
        one.expect(r"net::ERR_|50[234] |404 (GET|DELETE) /|console (error|warning)")
    house.process("ingest").kill()
    expect(teacher.at("publish-lost")).to_contain_text("正在自动重连", timeout=CONNECTED_MS)
    expect(teacher.at("publish-stop")).to_be_visible()
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "publishing", timeout=BACK_MS)
    see_the_encoder(teacher, take=2)
    assert teacher.page.evaluate(f"{PICTURE_SENDER}.track.id") == camera
    assert teacher.page.evaluate(f"{PICTURE_SENDER}.track.readyState") == "live"
    player.reaches(edge + RECORDED_SECONDS)
    end(teacher)
    replay(learner)


def open_the_panel(teacher: Person, lesson: dict[str, Any]) -> None:
    """The instructor's page, and on it the browser instead of an encoder."""
    teacher.page.goto(f"/sessions/{lesson['id']}")
    teacher.press("way-browser")
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "idle")


def publish(teacher: Person) -> None:
    """One press, and it flows."""
    teacher.press("publish-start")
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "publishing", timeout=CONNECTED_MS)
    expect(teacher.at("publish-state")).to_have_text("正在推流")


def change_of_mind(teacher: Person) -> None:
    """Stopped while it connects: what comes of the answer later is let go again, and does not publish unseen."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    teacher.page.route(WHIP, hold)
    with teacher.page.expect_request(WHIP):
        teacher.press("publish-start")
    teacher.press("publish-stop")
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "idle")
    with teacher.page.expect_request_finished(lambda one: one.method == "DELETE"):
        held[0].continue_()
        teacher.page.unroute(WHIP)
    teacher.page.wait_for_function("() => peers.at(-1).connectionState === 'closed'", timeout=PATIENCE_MS)
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "idle")


def see_the_encoder(teacher: Person, take: int) -> None:
    """The page shows itself as the encoder: by WHIP, with its figures."""
    expect(teacher.at("encoder-protocol")).to_contain_text("WHIP", timeout=CONNECTED_MS)
    expect(teacher.at("encoder-take")).to_contain_text(str(take))
    expect(teacher.at("encoder-codecs")).to_contain_text("H.264 + Opus")
    expect(teacher.at("encoder-resolution")).to_contain_text("1280 × 720")
    expect(teacher.at("encoder-frame_rate")).to_contain_text(re.compile(r"\d 帧/秒"))
    expect(teacher.at("session-state")).to_have_attribute("data-state", "live")


def the_size_is_kept(teacher: Person) -> None:
    """A slow machine sends fewer pictures, not smaller ones."""
    assert teacher.page.evaluate(f"{PICTURE_SENDER}.getParameters().degradationPreference") == "maintain-resolution"
    assert teacher.page.evaluate(f"{PICTURE_SENDER}.track.contentHint") == "detail"


def watch_live(learner: Person, lesson: dict[str, Any]) -> Player:
    """Picture and sound at a learner's."""
    learner.page.goto(f"/sessions/{lesson['id']}/watch")
    expect(learner.at("watch")).to_have_attribute("data-scene", "live")
    player = Player(learner.page)
    player.plays()
    learner.page.wait_for_function(HEARD, timeout=PATIENCE_MS)
    return player


def another_tab_is_told_no(teacher: Person, lesson: dict[str, Any]) -> None:
    """A second publish with the same key is refused in words, and the first goes on unharmed."""
    other = Person.arrive(teacher.page.context, teacher.login)
    other.expect(r"409 POST /whip/")
    open_the_panel(other, lesson)
    other.press("publish-start")
    expect(other.at("publish-panel")).to_contain_text("已有编码器在用这个密钥推流", timeout=CONNECTED_MS)
    expect(other.at("publish-panel")).to_have_attribute("data-state", "idle")
    assert other.unexpected() == []
    other.page.close()
    see_the_encoder(teacher, take=1)
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "publishing")


def stop(teacher: Person) -> None:
    """The publish ends, the lesson does not: it waits for the next one."""
    teacher.press("publish-stop")
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "idle")
    expect(teacher.at("encoder-gone")).to_be_visible(timeout=GONE_MS)
    expect(teacher.at("session-state")).to_have_attribute("data-state", "live")


def change_size(teacher: Person, player: Player) -> None:
    """The camera gives another picture in the middle of a take: whoever watches goes on watching."""
    teacher.page.evaluate(SHRINK)
    expect(teacher.at("encoder-resolution")).to_contain_text("640 × 360")
    player.becomes_high(360)
    player.plays()
    assert player.discontinuities() == 2


def kicked_in_words(teacher: Person) -> None:
    """Hung up on by order, the panel says so at once, lets the camera go and does not come back by itself."""
    teacher.expect(ENDED)
    teacher.press("session-kick")
    teacher.at("kick-reason").fill("换一台设备")
    teacher.press("kick-confirm")
    expect(teacher.at("publish-panel")).to_contain_text("本次推流已被断开", timeout=HUNG_UP_MS)
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "idle")


def leave_the_page(teacher: Person) -> None:
    """A page that goes says goodbye: nobody waits for its silence to be noticed."""
    teacher.expect(r"net::ERR_ABORTED DELETE /whip/")
    teacher.page.reload()
    expect(teacher.at("encoder-gone")).to_be_visible(timeout=SAID_GOODBYE_MS)
    teacher.press("way-browser")
    expect(teacher.at("publish-panel")).to_have_attribute("data-state", "idle")


def end(teacher: Person) -> None:
    """Also while it still publishes: the panel goes, and the camera with it."""
    teacher.expect(ENDED)
    teacher.press("session-end")
    teacher.press("end-confirm")
    expect(teacher.at("session-state")).to_have_attribute("data-state", "ended")
    expect(teacher.at("publish-panel")).to_have_count(0)


def replay(learner: Person) -> None:
    """What was recorded plays, past the break too."""
    learner.press("watch-replay")
    expect(learner.at("recording-title")).to_be_visible()
    learner.press("big-play")
    player = Player(learner.page)
    player.plays()
    learner.page.wait_for_function(HEARD, timeout=PATIENCE_MS)


def work_is_done(teacher: Person, recording_id: str, takes: int) -> None:
    """Every reel is encoded, whatever the times between its frames."""
    teacher.page.goto(f"/recordings/{recording_id}")
    expect(teacher.at("recording-state")).to_have_attribute("data-state", "stored")
    expect(teacher.at("encoding")).to_have_attribute("data-kind", "whole", timeout=CODED_MS)
    done = teacher.page.request.get(f"/api/v1/recordings/{recording_id}/work").json()
    assert {one["state"] for one in done} == {"done"}, done
    assert len(done) >= takes, "a take has a reel of its own at least"
    assert {one["attempts"] for one in done} == {1}, "nothing had to be tried again"
