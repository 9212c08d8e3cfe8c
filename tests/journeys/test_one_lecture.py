"""One lecture from the timetable to a course, and another recording to its purge: the whole story by clicking."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from lectern import demo_timetable
from lectern.clock import now
from lectern.demo_lecture import Encoder
from tests.journeys.classroom import Classroom
from tests.journeys.conftest import AsPerson
from tests.journeys.person import Person
from tests.journeys.player import Player

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FIGURES_MS = 10_000
"""The instructor sees the encoder's figures this soon."""
DVR_SECONDS = 14
"""Enough to seek back in that is clearly behind live."""
SIGNAL_GONE_MS = 15_000
CODED_MS = 90_000
PURGED_MS = 30_000


def test_one_lecture_from_the_timetable_to_a_course(as_person: AsPerson, classroom: Classroom) -> None:
    classroom.empty()
    academic, teacher, learner = as_person("academic"), as_person("teacher"), as_person("learner")
    import_the_timetable(academic)
    lecture_id, address = open_the_class(teacher, demo_timetable.LECTURE_TITLE)
    encoder = classroom.publish(address)
    see_the_encoder(teacher)
    player = watch_live(learner, lecture_id)
    seek_back_and_return(learner, player)
    go_on_past_a_power_cut(teacher, player, classroom, encoder, address)
    end_the_class(teacher)
    recording_id = replay_from_the_watch_page(learner)

    first_id, first_address = open_the_class(teacher, demo_timetable.FIRST_TITLE)
    record_a_few_seconds(teacher, classroom, first_address)

    choose_a_quality(teacher, learner, recording_id)
    find_it_in_the_library(teacher, recording_id)
    hold_and_lift(teacher, recording_id)
    course_id = promote(teacher, recording_id)
    purged_id = purge_now(academic, first_id)
    others_may_not(as_person, recording_id, purged_id, course_id)


def import_the_timetable(academic: Person) -> None:
    """The file is handed in on the page, which shows what would come of it, and does it at one more press."""
    academic.press("nav-timetable-import")
    file = demo_timetable.render(now(), "teacher")
    academic.at("import-file").set_input_files({"name": "课表.ics", "mimeType": "text/calendar", "buffer": file})
    academic.press("import-look")
    expect(academic.at("import-preview")).to_be_visible()
    foreseen = int(academic.at("import-created").locator("b").inner_text())
    academic.press("import-take")
    expect(academic.at("import-report")).to_be_visible()
    counts = {name: int(academic.at(f"import-{name}").locator("b").inner_text()) for name in ("created", "unchanged")}
    assert counts["created"] == foreseen
    assert counts["created"] >= 2, "both classes that are on now are new in every file"
    assert sum(counts.values()) == file.count(b"BEGIN:VEVENT")
    expect(academic.at("import-rejected").locator("b")).to_have_text("0")
    academic.press("import-to-schedule")
    expect(academic.page.locator(".grid")).to_contain_text(demo_timetable.LECTURE_TITLE)


def open_class(person: Person, title: str) -> Locator:
    """The class of that title in the week that is not over; other tests of this house leave theirs there. One that goes
    on past midnight stands in both days.
    """
    in_the_week = person.page.locator('[data-test^="session-"]:not(.ended):not(.cancelled)')
    return in_the_week.filter(has_text=title).first


def open_the_class(teacher: Person, title: str) -> tuple[str, str]:
    """From 课表 to the session's page; the key is shown, copied and taken along with the address."""
    teacher.press("nav-schedule")
    open_class(teacher, title).click()
    teacher.page.get_by_role("link", name="进入讲课页").click()
    expect(teacher.at("session-title")).to_have_text(title)
    session_id = teacher.page.url.rsplit("/", 1)[-1]
    expect(teacher.at("key-value")).to_have_text(re.compile("^•+$"))
    teacher.press("key-show")
    expect(teacher.at("key-value")).to_have_text(re.compile("^[A-Z0-9]{20,}$", re.IGNORECASE))
    teacher.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    teacher.press("key-copy")
    expect(teacher.at("key-copy")).to_have_text("已复制")
    key = teacher.page.evaluate("navigator.clipboard.readText()")
    assert key == teacher.at("key-value").inner_text()
    return session_id, f"{teacher.at('server-value').inner_text()}/{key}"


def see_the_encoder(teacher: Person) -> None:
    """Resolution, frame rate, bit rate and key-frame interval, and the preview beside them."""
    expect(teacher.at("encoder-resolution")).to_contain_text("1280 × 720", timeout=FIGURES_MS)
    expect(teacher.at("encoder-frame_rate")).to_contain_text(re.compile(r"2[45](\.\d)? 帧/秒"), timeout=FIGURES_MS)
    expect(teacher.at("encoder-bit_rate")).to_contain_text(re.compile(r"\d bps|\d [kM]bps"), timeout=FIGURES_MS)
    expect(teacher.at("encoder-keyframe_interval")).to_contain_text("2.0 秒", timeout=FIGURES_MS)
    expect(teacher.at("session-state")).to_have_attribute("data-state", "live")
    Player(teacher.page).plays()


def watch_live(learner: Person, session_id: str) -> Player:
    """From 课表 to the watch page, where pictures come and time goes on, at the live edge."""
    learner.press("nav-schedule")
    open_class(learner, demo_timetable.LECTURE_TITLE).click()
    learner.at(f"watch-session-{session_id}").first.click()
    expect(learner.at("watch")).to_have_attribute("data-scene", "live")
    player = Player(learner.page)
    player.plays()
    assert player.size() == (1280, 720)
    expect(learner.at("live-mark")).to_be_visible()
    expect(learner.at("watermark")).to_contain_text("王同学")
    return player


def seek_back_and_return(learner: Person, player: Player) -> None:
    """Back to the lecture's beginning, which says how far behind that is, and to live again."""
    player.reaches(DVR_SECONDS)
    learner.at("seek-bar").press("Home")
    expect(learner.at("behind-mark")).to_be_visible()
    assert player.position() < DVR_SECONDS / 2
    player.plays()
    learner.press("back-to-live")
    expect(learner.at("live-mark")).to_be_visible()
    expect(learner.at("player")).to_be_focused()
    player.plays()


def go_on_past_a_power_cut(
    teacher: Person, player: Player, classroom: Classroom, encoder: Encoder, address: str
) -> None:
    """The encoder goes without goodbye and returns when its loss is shown; what plays goes on past the break."""
    published = encoder.seconds
    classroom.cut_off(encoder)
    expect(teacher.at("encoder-gone")).to_be_visible(timeout=SIGNAL_GONE_MS)
    edge = player.edge()
    classroom.publish(address, published + 5)
    expect(teacher.at("encoder-take")).to_contain_text("2", timeout=FIGURES_MS)
    player.reaches(edge + 4)
    player.plays()
    assert player.discontinuities() == 1


def end_the_class(teacher: Person) -> None:
    """By the button, which asks first."""
    teacher.press("session-end")
    expect(teacher.at("end-dialog")).to_be_visible()
    teacher.press("end-cancel")
    expect(teacher.at("session-state")).to_have_attribute("data-state", "live")
    teacher.press("session-end")
    teacher.press("end-confirm")
    expect(teacher.at("session-over")).to_be_visible()
    expect(teacher.at("session-state")).to_have_attribute("data-state", "ended")


def replay_from_the_watch_page(learner: Person) -> str:
    """The page that watched leads to the replay, which plays at once."""
    learner.press("watch-replay")
    expect(learner.at("recording-title")).to_have_text(demo_timetable.LECTURE_TITLE)
    learner.press("big-play")
    Player(learner.page).plays()
    return learner.page.url.rsplit("/", 1)[-1]


def record_a_few_seconds(teacher: Person, classroom: Classroom, address: str) -> None:
    """A second recording, as short as it can be."""
    encoder = classroom.publish(address)
    expect(teacher.at("session-state")).to_have_attribute("data-state", "live", timeout=FIGURES_MS)
    Player(teacher.page).plays()
    classroom.cut_off(encoder)
    end_the_class(teacher)


def choose_a_quality(teacher: Person, learner: Person, recording_id: str) -> None:
    """Once its ladder is whole, which its teacher sees, the replay offers what was encoded and plays what is chosen."""
    teacher.page.goto(f"/recordings/{recording_id}")
    expect(teacher.at("encoding")).to_have_attribute("data-kind", "whole", timeout=CODED_MS)
    learner.page.goto(f"/recordings/{recording_id}")
    expect(learner.at("recording-title")).to_be_visible()
    expect(learner.at("encoding")).to_have_count(0)
    learner.press("big-play")
    player = Player(learner.page)
    player.plays()
    learner.press("quality-menu")
    expect(learner.page.get_by_role("menuitemradio", name="720p")).to_be_visible()
    learner.page.get_by_role("menuitemradio", name="480p").click()
    player.becomes_high(480)
    player.plays()


def find_it_in_the_library(teacher: Person, recording_id: str) -> None:
    """Its card has a picture, the day until which it is kept, and no work left."""
    teacher.press("nav-recordings")
    teacher.at("recordings-search").fill(demo_timetable.LECTURE_TITLE)
    card = teacher.page.locator(f'[data-test="recording-card"][data-id="{recording_id}"]')
    expect(card).to_have_attribute("data-state", "stored")
    picture = card.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") >= 320
    expect(card.get_by_test_id("expires-at")).to_contain_text(re.compile(r"保存至 \d{4}年\d+月\d+日"))
    expect(card.get_by_test_id("encoding")).to_have_count(0)
    teacher.press(f"recording-open-{recording_id}")
    expect(teacher.at("encoding")).to_have_attribute("data-kind", "whole")
    expect(teacher.at("still").first).to_be_visible()


def hold_and_lift(teacher: Person, recording_id: str) -> None:
    """A hold stops its clock and says why; lifting it lets the clock run again."""
    teacher.press("action-hold")
    expect(teacher.at("hold-confirm")).to_be_disabled()
    teacher.at("hold-reason").fill("教研组复核")
    teacher.press("hold-confirm")
    expect(teacher.at("holds")).to_contain_text("教研组复核")
    expect(teacher.at("holds")).to_contain_text("李老师")
    expect(teacher.at("days-left")).to_have_text("保全中，不会清除")
    expect(teacher.at("recording-held")).to_be_visible()
    teacher.press("hold-lift")
    expect(teacher.at("lift-confirm")).to_be_disabled()
    teacher.at("lift-reason").fill("复核已结束")
    teacher.press("lift-confirm")
    expect(teacher.at("holds")).to_have_count(0)
    expect(teacher.at("lifted-holds")).to_contain_text("复核已结束")
    expect(teacher.at("recording-held")).to_have_count(0)
    expect(teacher.at("expires-at")).to_be_visible()


def promote(teacher: Person, recording_id: str) -> str:
    """The recording becomes a course whose page plays."""
    teacher.press("action-promote")
    teacher.at("promote-summary").fill("为什么问，问什么，等多久。")
    teacher.press("promote-confirm")
    expect(teacher.at("course-title")).to_have_text(demo_timetable.LECTURE_TITLE)
    expect(teacher.at("course-state")).to_have_attribute("data-state", "draft")
    expect(teacher.at("course-summary")).to_contain_text("等多久")
    teacher.press("big-play")
    Player(teacher.page).plays()
    course_id = teacher.page.url.rsplit("/", 1)[-1]
    teacher.page.goto(f"/recordings/{recording_id}")
    expect(teacher.at("days-left")).to_have_text("长期保存")
    expect(teacher.at("action-promote")).to_have_count(0)
    return course_id


def purge_now(academic: Person, session_id: str) -> str:
    """Its title typed, a recording goes at once; what stays is the certificate."""
    academic.page.goto("/schedule")
    academic.at(f"session-{session_id}").first.click()
    academic.at(f"replay-session-{session_id}").first.click()
    expect(academic.at("recording-title")).to_have_text(demo_timetable.FIRST_TITLE)
    academic.press("action-purge")
    academic.at("purge-reason").fill("试录，不需保存")
    academic.at("purge-title").fill("别的标题")
    expect(academic.at("purge-confirm")).to_be_disabled()
    academic.at("purge-title").fill(demo_timetable.FIRST_TITLE)
    academic.press("purge-confirm")
    expect(academic.at("recording-state")).to_have_attribute("data-state", "purged", timeout=PURGED_MS)
    academic.press("to-certificate")
    certificate = academic.at("certificate")
    expect(certificate).to_contain_text("录像清除凭证")
    expect(academic.at("certificate-title")).to_contain_text(demo_timetable.FIRST_TITLE)
    expect(academic.at("certificate-reason")).to_contain_text("试录，不需保存")
    expect(academic.at("certificate-actor")).to_contain_text(academic.at("account-name").locator("b").inner_text())
    expect(academic.at("certificate-listing")).to_contain_text(re.compile(r"[0-9a-f]{64}"))
    return academic.page.url.split("/")[-2]


def others_may_not(as_person: AsPerson, recording_id: str, purged_id: str, course_id: str) -> None:
    """The inspector sees and plays but changes nothing; the auditor reads certificates and no content."""
    inspector = as_person("inspector")
    inspector.page.goto(f"/recordings/{recording_id}")
    expect(inspector.at("recording-title")).to_be_visible()
    expect(inspector.at("recording-actions")).to_have_count(0)
    expect(inspector.at("nav-timetable-import")).to_have_count(0)
    inspector.press("nav-certificates")
    inspector.press(f"certificate-open-{purged_id}")
    expect(inspector.at("certificate")).to_be_visible()
    auditor = as_person("auditor")
    expect(auditor.at("nav-recordings")).to_have_count(0)
    auditor.press("nav-certificates")
    expect(auditor.at(f"certificate-open-{purged_id}")).to_be_visible()
    reason, title = {"reason": "不该成功"}, demo_timetable.LECTURE_TITLE
    forbidden: list[tuple[str, str, Any]] = [
        ("POST", f"/recordings/{recording_id}/holds", reason),
        ("POST", f"/recordings/{recording_id}/purge", {**reason, "confirm_title": title}),
        ("POST", f"/recordings/{recording_id}/promotion", {"title": title, "audience": "scoped"}),
        ("POST", f"/courses/{course_id}/submission", {}),
    ]
    for person in (inspector, auditor):
        for method, path, body in forbidden:
            assert person.status_of(method, path, body) == 403, (person.login, path)
