"""Headless Chromium that publishes by WHIP from a page of a few lines: a real peer with fake camera and microphone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)

_PUBLISH = """async ([url, key, codecs, trickle, width, height, kbps]) => {
  const video = { width, height, frameRate: 30 };
  const stream = await navigator.mediaDevices.getUserMedia({ video, audio: true });
  const peer = window.peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  for (const track of stream.getTracks()) {
    const transceiver = peer.addTransceiver(track, {
      direction: 'sendonly', streams: [stream],
      ...(track.kind === 'video' ? { sendEncodings: [{ maxBitrate: kbps * 1000 }] } : {}) });
    const wanted = RTCRtpSender.getCapabilities(track.kind).codecs.filter(
      codec => codecs.includes(codec.mimeType) || codec.mimeType === 'video/rtx');
    transceiver.setCodecPreferences(wanted);
  }
  const later = [];
  let send = null;
  peer.onicecandidate = ({ candidate }) => { if (send) send([candidate]); else later.push(candidate); };
  await peer.setLocalDescription(await peer.createOffer());
  if (!trickle && peer.iceGatheringState !== 'complete')
    await new Promise(done => peer.addEventListener('icegatheringstatechange',
      () => peer.iceGatheringState === 'complete' && done()));
  const headers = { 'Content-Type': 'application/sdp', Authorization: `Bearer ${key}` };
  const answer = await fetch(url, { method: 'POST', headers, body: peer.localDescription.sdp });
  const sdp = await answer.text();
  if (answer.status !== 201) return { status: answer.status, problem: JSON.parse(sdp) };
  const resource = new URL(answer.headers.get('Location'), url).href;
  const etag = answer.headers.get('ETag');
  await peer.setRemoteDescription({ type: 'answer', sdp });
  const patched = [];
  if (trickle) {
    const line = name => peer.localDescription.sdp.match(new RegExp(`a=${name}:.*`))[0];
    send = async candidates => {
      const body = [line('ice-ufrag'), line('ice-pwd'), 'm=audio 9 RTP/AVP 0', 'a=mid:0',
        ...candidates.map(one => one ? 'a=' + one.candidate : 'a=end-of-candidates')].join('\\r\\n') + '\\r\\n';
      const reply = await fetch(resource, { method: 'PATCH', body, headers: { Authorization: `Bearer ${key}`,
        'If-Match': etag, 'Content-Type': 'application/trickle-ice-sdpfrag' } });
      patched.push(reply.status);
    };
    await send(later);
  }
  return { status: 201, resource, patched };
}"""


@asynccontextmanager
async def chromium(page_url: str) -> AsyncIterator[Page]:
    """A page of the server's own origin, so that cameras are allowed (127.0.0.1 counts as secure)."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS])
        try:
            page = await browser.new_page()
            await page.goto(page_url)
            yield page
        finally:
            await browser.close()


async def publish(
    page: Page,
    url: str,
    key: str,
    *,
    codecs: tuple[str, ...] = ("video/H264", "audio/opus"),
    trickle: bool = False,
    size: tuple[int, int] = (640, 360),
    kbps: int = 1000,
) -> dict[str, object]:
    """What the page was answered: `status`, and `resource` or `problem`."""
    answered = await page.evaluate(_PUBLISH, [url, key, list(codecs), trickle, *size, kbps])
    assert isinstance(answered, dict)
    return answered
