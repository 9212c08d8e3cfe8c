// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Session } from '@/api/sessions'
import { onPage } from '@/parts/pageForTests'
import SessionControls from './SessionControls.vue'
import SessionSummary from './SessionSummary.vue'
import WatchCurtain from './WatchCurtain.vue'

let stop: () => void = () => undefined
const asked: string[] = []
beforeEach(() => {
  asked.length = 0
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

const session = (more: Partial<Session> = {}) =>
  ({
    id: 's',
    title: '教育学',
    state: 'ended',
    starts_at: '2026-09-14T02:00:00Z',
    ends_at: '2026-09-14T03:00:00Z',
    went_live_at: '2026-09-14T01:58:00Z',
    ended_at: '2026-09-14T03:01:05Z',
    recording_id: 'r',
    recording_state: 'stored',
    may: ['session_publish', 'session_control'],
    ...more,
  }) as Session

async function summary(of: Session, may: string[] = ['recording_read']) {
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url)
    const recording = { duration_ms: 3_700_000, bytes: 1_240_000_000, expires_at: '2027-03-14T03:01:05Z' }
    return Promise.resolve(Response.json(recording))
  })
  const page = await onPage(SessionSummary, { props: { session: of }, may })
  stop = page.stop
  return page
}

it('says of a class that is over how long it was, what is kept, and where', async () => {
  const { find, says } = await summary(session())
  expect(says('summary-lasted')).toBe('直播时长1:03:05')
  expect(says('summary-began')).toContain('09:58')
  expect(says('summary-recorded')).toBe('录像时长1:01:40')
  expect(says('summary-size')).toBe('录像大小1.24 GB')
  expect(says('summary-kept')).toContain('2027年3月14日')
  expect(find('session-replay')?.getAttribute('href')).toBe('/recordings/r')
})

it('asks for no recording that was purged, and says that it was', async () => {
  const { find, says } = await summary(session({ recording_state: 'purged' }))
  expect(asked).toEqual([])
  expect(says('session-over')).toContain('录像已清除')
  expect(says('summary-lasted')).toBe('直播时长1:03:05')
  expect(find('session-replay')).toBeNull()
})

it('says of one that never was live that there is none', async () => {
  const { find, says } = await summary(
    session({ recording_id: null, recording_state: null, went_live_at: null, ended_at: null }),
  )
  expect(says('session-over')).toContain('没有录像')
  expect(find('session-summary')).toBeNull()
})

it('offers no replay of a purged recording where it was watched either', async () => {
  const of = (recording_state: Session['recording_state']) =>
    onPage(WatchCurtain, { props: { session: session({ recording_state }), scene: 'ended', now: 0 } })
  const purged = await of('purged')
  expect(purged.says('watch-purged')).toBe('回放已清除')
  expect(purged.find('watch-replay')).toBeNull()
  purged.stop()
  const stored = await of('stored')
  stop = stored.stop
  expect(stored.find('watch-replay')?.getAttribute('href')).toBe('/recordings/r')
})

it('tells before the press what cut and disconnect do', async () => {
  for (const [language, cut, kick] of [
    ['zh-CN', '观众立即看不到画面', '编码器可以重连'],
    ['en', 'Viewers see nothing', 'it may come back'],
  ] as const) {
    const page = await onPage(SessionControls, { props: { session: session({ state: 'live' }) }, language })
    expect(page.says('what-cut')).toContain(cut)
    expect(page.says('what-kick')).toContain(kick)
    expect(page.find('session-cut')?.getAttribute('aria-describedby')).toBe('what-cut')
    page.stop()
  }
})
