// @vitest-environment happy-dom
// The panel over a browser's connections and a server's answers that the test gives: it publishes, loses, comes back.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Language } from '@/i18n'
import { onPage } from '@/parts/pageForTests'
import PublishPanel from './PublishPanel.vue'

const URL = 'http://ingest.example/whip/s'
const address = { whip_url: URL, key: 'K' }

/** What this browser has none of: a camera's track. */
class Track extends EventTarget {
  kind = 'video'
  readyState = 'live'
  contentHint = ''
  stop() {
    this.readyState = 'ended'
  }
}
class Stream extends MediaStream {
  override getTracks = () => [track] as unknown as MediaStreamTrack[]
  override getVideoTracks = this.getTracks
}

/** A connection that becomes what the test says. */
class Peer extends EventTarget {
  static all: Peer[] = []
  iceGatheringState = 'complete'
  connectionState = 'new'
  localDescription = { sdp: 'v=0' }
  onconnectionstatechange: (() => void) | null = null
  transport: { state: string; onstatechange: (() => void) | null } = { state: 'new', onstatechange: null }
  tracks: Track[] = []
  sender = {
    transport: this.transport,
    getParameters: () => ({}),
    setParameters: () => Promise.resolve(),
  }
  constructor() {
    super()
    Peer.all.push(this)
  }
  addTransceiver(track: Track) {
    this.tracks.push(track)
    return { sender: this.sender, setCodecPreferences: () => undefined }
  }
  getSenders = () => [this.sender]
  createOffer = () => Promise.resolve({})
  setLocalDescription = () => Promise.resolve()
  setRemoteDescription = () => Promise.resolve()
  becomes(state: string) {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }
  hungUpOn() {
    this.transport.state = 'closed'
    this.transport.onstatechange?.()
  }
  close() {
    this.connectionState = 'closed'
  }
}

type Reply = () => Response
const created: Reply = () => new Response('v=0', { status: 201, headers: { Location: '/whip/s/r' } })
const refused =
  (status: number, code: string, headers = {}): Reply =>
  () =>
    Response.json({ code }, { status, headers })
const unreachable: Reply = () => {
  throw new TypeError('fetch failed')
}

let posts: number[] = []
let answers: Reply[] = []
let goodbye: Reply = () => new Response('')
let track = new Track()
let captures = 0
let stopPage: () => void = () => undefined

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  posts = []
  answers = []
  goodbye = () => new Response('')
  Peer.all = []
  track = new Track()
  captures = 0
  vi.stubGlobal('RTCPeerConnection', Peer)
  vi.stubGlobal('RTCRtpSender', { getCapabilities: () => ({ codecs: [] }) })
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    if (init.method === 'DELETE') return goodbye()
    posts.push(Date.now())
    return (answers.shift() ?? created)()
  })
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: {
      getUserMedia: async () => {
        captures += 1
        return new Stream()
      },
    },
  })
})
afterEach(() => {
  stopPage()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

async function publishing(language: Language = 'zh-CN') {
  const page = await onPage(PublishPanel, { props: { address }, language })
  stopPage = page.stop
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms)
    await page.settled()
  }
  page.find('publish-start')?.click()
  await pass(0)
  Peer.all[0]?.becomes('connected')
  await pass(0)
  const state = () => page.find('publish-panel')?.dataset['state']
  expect(state()).toBe('publishing')
  return { ...page, pass, state }
}

it('comes back by itself with the same camera, and says what it does', async () => {
  const { pass, state, says, find } = await publishing()
  answers = [unreachable, refused(503, 'catalogue_away', { 'Retry-After': '6' }), created]
  Peer.all[0]?.becomes('failed')
  await pass(100)
  expect(state()).toBe('reconnecting')
  expect(says('publish-lost')).toContain('正在自动重连')
  expect(says('publish-state')).toBe('1 秒后第 1 次重连')
  expect(find('publish-stop')).not.toBeNull()
  await pass(1000)
  expect(says('publish-why')).toContain('连不上推流服务')
  await pass(2000)
  expect(posts).toHaveLength(3)
  expect(says('publish-why')).toContain('数据库暂时没有响应')
  expect(says('publish-state'), 'as the server asks').toMatch(/^[56] 秒后第 3 次重连$/)
  await pass(6000)
  expect(says('publish-state')).toBe('正在第 3 次重连…')
  Peer.all.at(-1)?.becomes('connected')
  await pass(0)
  expect(state()).toBe('publishing')
  expect(find('publish-lost')).toBeNull()
  expect([captures, track.readyState]).toEqual([1, 'live'])
  expect(Peer.all.at(-1)?.tracks).toEqual([track])
})

it('waits for a line that falters, and begins anew when it stays away', async () => {
  const { pass, state } = await publishing()
  Peer.all[0]?.becomes('disconnected')
  await pass(4000)
  expect(state()).toBe('interrupted')
  Peer.all[0]?.becomes('connected')
  await pass(10_000)
  expect(state()).toBe('publishing')
  Peer.all[0]?.becomes('disconnected')
  await pass(5100)
  expect(state()).toBe('reconnecting')
  window.dispatchEvent(new Event('online'))
  await pass(0)
  expect(posts, 'at once when the network is back').toHaveLength(2)
})

it('stops where no try can help, in the words of the refusal', async () => {
  const { pass, state, says } = await publishing('en')
  answers = [refused(409, 'session_over')]
  Peer.all[0]?.becomes('failed')
  await pass(1500)
  expect(state()).toBe('idle')
  expect(says('publish-panel')).toContain('over')
  expect(track.readyState).toBe('ended')
  await pass(60_000)
  expect(posts).toHaveLength(2)
})

it('does not come back where somebody ended it', async () => {
  const { pass, state, says } = await publishing()
  goodbye = refused(410, 'publish_ended')
  Peer.all[0]?.hungUpOn()
  await pass(100)
  expect(state()).toBe('idle')
  expect(says('publish-panel')).toContain('本次推流已被断开')
  expect(track.readyState).toBe('ended')
  await pass(60_000)
  expect(posts).toHaveLength(1)
})

it('comes back where the server only stopped', async () => {
  const { pass, state } = await publishing()
  goodbye = unreachable
  Peer.all[0]?.hungUpOn()
  await pass(1500)
  expect(posts).toHaveLength(2)
  expect(state()).toBe('reconnecting')
})

it('is stopped by its button while it waits', async () => {
  const { pass, state, find } = await publishing()
  Peer.all[0]?.becomes('failed')
  await pass(100)
  find('publish-stop')?.click()
  await pass(60_000)
  expect(state()).toBe('idle')
  expect(posts).toHaveLength(1)
  expect(track.readyState).toBe('ended')
})

it('gives up after ten minutes, and lets the camera go', async () => {
  const { pass, state, says } = await publishing()
  answers = Array.from({ length: 100 }, () => unreachable)
  Peer.all[0]?.becomes('failed')
  await pass(9 * 60_000)
  expect(state()).toBe('reconnecting')
  await pass(70_000)
  expect(state()).toBe('idle')
  expect(says('publish-panel')).toContain('推流连接已断开')
  expect(track.readyState).toBe('ended')
  expect(posts.length).toBeLessThan(50)
})
