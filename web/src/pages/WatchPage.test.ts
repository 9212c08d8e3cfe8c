// @vitest-environment happy-dom
// The watch page over a session that changes. This browser plays nothing, so its player fails at once: what is seen is
// whether it stays, what is said beside it, and that it is begun anew.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Language } from '@/i18n'
import { onPage } from '@/parts/pageForTests'
import WatchPage from './WatchPage.vue'

let session: Record<string, unknown> = {}
let asked = 0
let refusal: { status: number; code: string } | null = null
let stop: () => void = () => undefined

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  asked = 0
  refusal = null
  session = {
    ...{ id: 's', title: '教育学', state: 'live', recording_id: null, delay_seconds: 5 },
    ...{ starts_at: '2026-09-14T02:00:00Z', ends_at: '2026-09-14T03:00:00Z', may: [] },
  }
  vi.stubGlobal('fetch', (url: string) => {
    if (!url.endsWith('/playback')) return Promise.resolve(Response.json(session))
    asked += 1
    if (!refusal) return Promise.resolve(Response.json({ url: '/live/s/t/index.m3u8', expires_at: '' }))
    return Promise.resolve(Response.json({ code: refusal.code }, { status: refusal.status }))
  })
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

async function watching(language: Language = 'zh-CN') {
  const page = await onPage(WatchPage, { props: { id: 's' }, language })
  stop = page.stop
  const becomes = async (more: Record<string, unknown>) => {
    session = { ...session, ...more }
    await vi.advanceTimersByTimeAsync(4100)
    await page.settled()
  }
  return { ...page, becomes }
}

it('keeps its player through a cut, and says beside it what happens', async () => {
  const { find, says, becomes } = await watching()
  const video = find('video')
  expect(video).not.toBeNull()
  expect(says('watch-band')).toBe('')
  await becomes({ state: 'cut' })
  expect(find('watch')?.dataset['scene']).toBe('cut')
  expect(find('video')).toBe(video)
  expect(says('watch-band')).toContain('直播已由审核人员暂停')
  expect(says('watch-state')).toBe('已暂停')
  await becomes({ state: 'live' })
  expect(find('video')).toBe(video)
  expect(says('watch-band')).toBe('')
})

it('says so in English, and of one that nobody reviews that it is paused', async () => {
  const { says, becomes } = await watching('en')
  await becomes({ state: 'cut' })
  expect(says('watch-band')).toContain('The reviewers have paused the broadcast')
  await becomes({ delay_seconds: 0 })
  expect(says('watch-band')).toContain('The broadcast is paused')
})

it('begins a player that failed in the cut anew when the class resumes', async () => {
  const { find, becomes } = await watching()
  await becomes({ state: 'cut' })
  for (let turn = 0; turn < 5; turn += 1) await becomes({})
  const before = asked
  expect(find('player')?.dataset['status']).toBe('failed')
  await becomes({ state: 'live' })
  expect(asked).toBeGreaterThan(before)
})

it('asks no more for who was sent away', async () => {
  refusal = { status: 403, code: 'viewer_removed' }
  const { says, becomes } = await watching()
  expect(says('player-problem')).toContain('移出')
  await becomes({ state: 'cut' })
  await becomes({ state: 'live' })
  expect(asked).toBe(1)
})

it('shows the end where nothing is left to play', async () => {
  const { find, becomes } = await watching()
  await becomes({ state: 'ended', recording_id: 'r' })
  expect(find('video')).toBeNull()
  expect(find('watch-replay')?.getAttribute('href')).toBe('/recordings/r')
})
