"""What goes wrong for people, and whether their page says so in words that help."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.classroom import Classroom
from tests.journeys.conftest import AsPerson
from tests.journeys.person import Person
from tests.journeys.player import Player
from tests.kit.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

CHINESE = re.compile("[\u4e00-\u9fff]")


def open_session(teacher: Person, session_id: str) -> str:
    """The session's page with its key shown; the encoder's whole address."""
    teacher.page.goto(f"/sessions/{session_id}")
    return address(teacher)


def address(teacher: Person) -> str:
    """Server and key as the page shows them."""
    if teacher.at("key-show").get_attribute("aria-pressed") == "false":
        teacher.press("key-show")
    expect(teacher.at("key-value")).to_have_text(re.compile("^[A-Z0-9]{20,}$"))
    return f"{teacher.at('server-value').inner_text()}/{teacher.at('key-value').inner_text()}"


def test_a_wrong_password_is_said_and_the_right_one_leads_where_one_wanted(visitor: AsPerson, house: House) -> None:
    learner = visitor("learner")
    learner.page.goto("/recordings")
    expect(learner.at("sign-in-form")).to_be_visible()
    expect(learner.at("sign-in")).to_be_disabled()
    learner.expect("401 POST /api/v1/sign-ins$")
    learner.type_in("Wrong-password-1")
    expect(learner.at("problem")).to_contain_text("用户名或密码不正确。")
    expect(learner.at("password")).to_be_focused()
    learner.type_in(house.passwords["learner"])
    expect(learner.at("account-name")).to_contain_text("王同学")
    expect(learner.page).to_have_url(f"{house.origin}/recordings")


def test_a_renewed_key_is_shown_and_the_one_before_is_refused(as_person: AsPerson, classroom: Classroom) -> None:
    session = classroom.a_class()
    teacher = as_person("teacher")
    before = open_session(teacher, session["id"])
    teacher.press("key-renew")
    teacher.page.get_by_role("tooltip").get_by_role("button", name="更换密钥").click()
    expect(teacher.page.get_by_text("密钥已更换，原密钥作废")).to_be_visible()
    expect(teacher.at("key-value")).not_to_have_text(before.rsplit("/", 1)[-1])
    after = address(teacher)
    assert "This stream key was replaced by another." in classroom.refusal(classroom.publish(before))
    expect(teacher.at("encoder-waiting")).to_be_visible()
    classroom.publish(after)
    expect(teacher.at("session-state")).to_have_attribute("data-state", "live")


def test_a_codec_that_is_not_taken_is_said_on_the_instructors_page(as_person: AsPerson, classroom: Classroom) -> None:
    session = classroom.a_class()
    teacher = as_person("teacher")
    encoder = classroom.publish_in_flv1(open_session(teacher, session["id"]))
    expect(teacher.at("encoder-problem")).to_contain_text("不支持这种编码格式")
    expect(teacher.at("encoder-verdict")).to_have_text("需要处理")
    assert classroom.refusal(encoder)
    teacher.press("language-en")
    expect(teacher.at("encoder-problem")).to_contain_text("H.264")
    assert not CHINESE.search(teacher.at("encoder-problem").inner_text())
    classroom.publish(address(teacher))
    expect(teacher.at("encoder-resolution")).to_contain_text("1280 × 720")
    expect(teacher.at("encoder-problem")).to_have_count(0)


def test_a_second_encoder_is_refused_and_the_first_goes_on(as_person: AsPerson, classroom: Classroom) -> None:
    session = classroom.a_class()
    teacher = as_person("teacher")
    where = open_session(teacher, session["id"])
    classroom.publish(where)
    player = Player(teacher.page)
    player.plays()
    assert "Another encoder is publishing with this key." in classroom.refusal(classroom.publish(where))
    player.reaches(player.edge() + 1)
    expect(teacher.at("encoder-take").locator("dd")).to_have_text("1")
    expect(teacher.at("encoder-problem")).to_have_count(0)


def test_a_sign_in_elsewhere_ends_this_one(as_person: AsPerson) -> None:
    here = as_person("teacher")
    here.press("nav-schedule")
    expect(here.page.get_by_role("heading", name="课表")).to_be_visible()
    here.expect("401 GET /api/v1/")
    there = as_person("teacher")
    here.press("nav-recordings")
    expect(here.page.get_by_text("登录已失效，或账号在别处登录")).to_be_visible()
    expect(here.at("sign-in-form")).to_be_visible()
    there.press("nav-recordings")
    expect(there.page.get_by_role("heading", name="录像", exact=True)).to_be_visible()


def test_the_language_is_switched_kept_and_switched_back(as_person: AsPerson) -> None:
    lead = as_person("lead")
    lead.press("nav-recordings")
    lead.press("language-en")
    expect(lead.page.get_by_role("heading", name="Recordings")).to_be_visible()
    expect(lead.page.locator("html")).to_have_attribute("lang", "en")
    lead.page.reload()
    expect(lead.at("nav-schedule")).to_have_text("Timetable")
    assert not CHINESE.search(lead.page.locator("nav").inner_text())
    assert lead.page.title() == "Recordings · Lectern"
    lead.press("language-zh-CN")
    expect(lead.at("nav-schedule")).to_have_text("课表")
    assert lead.page.title() == "录像 · 讲台"
