// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Session } from '@/api/sessions'
import { onPage } from '@/parts/pageForTests'
import CutPanel from './CutPanel.vue'
import ReviewClock from './ReviewClock.vue'

const session = (more: Partial<Session>) =>
  ({
    id: 's',
    state: 'live',
    delay_seconds: 5,
    cut_reason: null,
    may: ['session_control'],
    ...more,
  }) as Session
let sent: { url: string; reason: string }[] = []
let page: Awaited<ReturnType<typeof onPage>> | null = null

beforeEach(() => {
  sent = []
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    sent.push({ url, reason: (JSON.parse(String(init.body)) as { reason: string }).reason })
    return new Response('{}', { status: 200 })
  })
})
afterEach(() => {
  page?.stop()
  vi.unstubAllGlobals()
})

describe('the cut', () => {
  it('is one press, with the reason that was chosen before', async () => {
    page = await onPage(CutPanel, { props: { session: session({}) } })
    page.find('reason-privacy')?.click()
    page.find('review-cut')?.click()
    await page.settled()
    expect(sent).toEqual([{ url: '/api/v1/sessions/s/cut', reason: '泄露个人信息' }])
  })

  it('is pressed by keys while one is typing another reason', async () => {
    page = await onPage(CutPanel, { props: { session: session({}) }, language: 'en' })
    const own = page.find('reason-own') as HTMLInputElement
    own.value = 'A phone number on the board'
    own.dispatchEvent(new Event('input'))
    own.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true }))
    await page.settled()
    expect(sent).toEqual([{ url: '/api/v1/sessions/s/cut', reason: 'A phone number on the board' }])
  })

  it('is taken back by one press, beside why it was made', async () => {
    page = await onPage(CutPanel, { props: { session: session({ state: 'cut', cut_reason: '有人误入' }) } })
    expect(page.says('review-why')).toContain('有人误入')
    page.find('review-resume')?.click()
    await page.settled()
    expect(sent.map((one) => one.url)).toEqual(['/api/v1/sessions/s/resume'])
  })

  it('is not there to be pressed before anything is live', async () => {
    page = await onPage(CutPanel, { props: { session: session({ state: 'scheduled' }) } })
    expect((page.find('review-cut') as HTMLButtonElement).disabled).toBe(true)
    dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true }))
    await page.settled()
    expect(sent).toEqual([])
  })
})

describe('the clock', () => {
  const clock = (more: Partial<Session>, latency: number | null, cutSince: number | null = null) =>
    onPage(ReviewClock, { props: { session: session(more), latency, cutSince, now: 90_000 } })

  it('says how long what is seen can still be cut', async () => {
    page = await clock({}, 1.52)
    expect(page.says('review-left')).toBe('3.4秒后看到')
    expect(page.find('review-clock')?.dataset['ahead']).toBe('ample')
  })

  it('says when it is too late, and the way back to the front', async () => {
    page = await clock({}, 6)
    expect(page.find('review-live')).not.toBeNull()
  })

  it('knows nothing before the picture is there', async () => {
    page = await clock({}, null)
    expect(page.says('review-left')).toContain('–')
  })

  it('counts how long it is cut', async () => {
    page = await clock({ state: 'cut' }, 1, 28_000)
    expect(page.says('review-cut-for')).toBe('1:02')
  })
})
