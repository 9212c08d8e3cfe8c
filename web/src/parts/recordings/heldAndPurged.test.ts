// @vitest-environment happy-dom
// What the page of a recording says of holds and of a purge, and to whom.
import { afterEach, expect, it, vi } from 'vitest'
import { type Component, createApp, h, nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Certificate } from '@/api/certificates'
import type { Recording } from '@/api/recordings'
import { i18n, type Language } from '@/i18n'
import CertificateSheet from './CertificateSheet.vue'
import HoldsList from './HoldsList.vue'
import KeepingBar from './KeepingBar.vue'
import RecordingActions from './RecordingActions.vue'
import RecordingFacts from './RecordingFacts.vue'
import RecordingCard from './RecordingCard.vue'
import RecordingTags from './RecordingTags.vue'

const person = { id: 'p', display_name: '王主任' }
const hold = { id: 'h1', reason: '投诉调查', placed_by: person, placed_at: '2026-06-01T00:00:00Z' }
const lifted = {
  ...hold,
  id: 'h0',
  reason: '备课要用',
  lift_reason: '课已备完',
  lifted_by: person,
  lifted_at: '2026-06-02T01:30:00Z',
}
const recording: Recording = {
  id: 'r',
  session_id: 's',
  title: '教育心理学',
  state: 'stored',
  instructor: null,
  programme: null,
  cohort: null,
  started_at: '2026-05-24T00:00:00Z',
  ended_at: '2026-05-24T02:00:00Z',
  expires_at: '2026-11-24T02:00:00Z',
  duration_ms: 7_200_000,
  bytes: 1_500_000_000,
  peak_viewers: null,
  poster_url: null,
  retention_class: 'ordinary_teaching',
  encoding: { done: 3, total: 36, failed: 0 },
  holds: [],
  lifted_holds: [],
  marked_at: null,
  purge_begins_at: null,
  version: 1,
  may: ['recording_hold', 'recording_hold_lift', 'recording_purge', 'recording_edit'],
}
const mounted: (() => void)[] = []

function show(part: Component, props: Record<string, unknown>, language: Language = 'zh-CN') {
  i18n.global.locale.value = language
  const place = document.body.appendChild(document.createElement('div'))
  const names = ['', 'replay', 'certificate'].map((name) => ({
    path: name ? `/${name}/:id` : '/',
    name,
    component: { render: () => null },
  }))
  const app = createApp({ render: () => h(part, props) })
  app.use(i18n).use(createRouter({ history: createMemoryHistory(), routes: names }))
  app.mount(place)
  mounted.push(() => {
    app.unmount()
    place.remove()
  })
  // Dialogs stand at the end of the body, so marks are looked for on the whole page.
  const at = (name: string) => document.querySelector<HTMLElement>(`[data-test="${name}"]`)
  return { place, at, says: (name: string) => at(name)?.textContent?.replace(/\s+/g, ' ').trim() ?? '' }
}

const settle = async () => {
  for (let turn = 0; turn < 6; turn += 1) await nextTick()
}

afterEach(() => {
  mounted.splice(0).forEach((unmount) => unmount())
  vi.unstubAllGlobals()
})

it('a held recording says so beside its state, and offers one more hold', () => {
  const held = { ...recording, holds: [hold] }
  expect(show(RecordingTags, { recording: held }).says('recording-held')).toBe('保全中')
  expect(show(RecordingTags, { recording }).place.querySelector('[data-test="recording-held"]')).toBeNull()
  expect(show(RecordingActions, { recording: held }).says('action-hold')).toBe('再加一项保全')
})

it('lifting asks for a reason and sends it', async () => {
  const sent: [string, unknown][] = []
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    sent.push([url, JSON.parse(String(init.body))])
    return new Response(null, { status: 204 })
  })
  const changed = vi.fn()
  const { at } = show(HoldsList, { recording: { ...recording, holds: [hold] }, onChanged: changed })
  at('hold-lift')?.click()
  await settle()
  const confirm = at('lift-confirm') as HTMLButtonElement
  expect(sent, 'one press lifts nothing').toEqual([])
  expect(confirm.disabled).toBe(true)
  const field = (at('lift-reason')?.closest('textarea') ?? at('lift-reason')) as HTMLTextAreaElement
  field.value = ' 调查已结束 '
  field.dispatchEvent(new Event('input', { bubbles: true }))
  await settle()
  confirm.click()
  await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce())
  expect(sent).toEqual([['/api/v1/recordings/r/holds/h1/lifting', { reason: '调查已结束' }]])
})

it('lifted holds stay as history: why, who, when', () => {
  const { says } = show(HoldsList, { recording: { ...recording, lifted_holds: [lifted] } })
  for (const word of ['备课要用', '课已备完', '王主任', '6月2日'])
    expect(says('lifted-holds')).toContain(word)
  expect(says('holds')).toBe('')
})

it('says until when a mark can be cancelled, and that an order cannot', () => {
  const now = Date.parse('2026-11-25T00:00:00Z')
  const marked = { ...recording, state: 'marked' as const, purge_begins_at: '2026-11-27T02:00:00Z' }
  const clock = show(KeepingBar, { recording: marked, now })
  expect(clock.says('days-left')).toMatch(/11月27日.*10:00 前可取消/)
  const offered = show(RecordingActions, { recording: marked })
  expect(offered.at('action-rescue')).not.toBeNull()
  expect(offered.at('action-purge')).toBeNull()
  mounted.splice(0).forEach((unmount) => unmount())

  const ordered = { ...marked, purge_begins_at: null }
  expect(show(KeepingBar, { recording: ordered, now }).says('days-left')).toBe(
    '已下令清除，即刻删除，不可恢复',
  )
  expect(show(RecordingActions, { recording: ordered }).at('action-rescue')).toBeNull()
})

it('tells the size and the encoding to whoever may edit, and not to learners', () => {
  const learners = { ...recording, may: ['recording_play'] }
  expect(show(RecordingFacts, { recording }).place.textContent).toContain('原始录像 1.50 GB')
  expect(show(RecordingFacts, { recording: learners }).place.textContent).not.toContain('GB')
  expect(show(RecordingCard, { recording: learners, now: 0 }).at('encoding')).toBeNull()
  expect(show(RecordingCard, { recording, now: 0 }).says('encoding')).toContain('3 / 36')
})

it('the tag of a card stands under the picture, not on it', () => {
  const { place } = show(RecordingCard, { recording: { ...recording, state: 'promoted' }, now: 0 })
  const tag = place.querySelector('[data-test="recording-state"]')
  expect(tag?.textContent).toContain('已转精品课')
  expect(tag?.closest('.picture')).toBeNull()
})

it('the certificate names who ordered the purge, and says what its bytes are', () => {
  const certificate: Certificate = {
    id: 'c',
    recording_id: 'r',
    session_id: 's',
    title: '教育心理学',
    purged_at: '2026-11-24T02:00:00Z',
    reason: 'ordered: 误录',
    objects: 12,
    bytes: 4_000_000,
    listing_sha256: 'ab',
    verified_at: '2026-11-24T02:00:00Z',
    actor: '王主任',
  }
  const sheet = show(CertificateSheet, { certificate })
  expect(sheet.says('certificate-actor')).toContain('王主任（下令），系统执行')
  expect(sheet.says('certificate-objects')).toContain('12 个文件')
  expect(sheet.says('certificate-objects')).toContain('各清晰度与全部图片')
  mounted.splice(0).forEach((unmount) => unmount())
  const expired = { ...certificate, reason: 'expired', actor: 'retention' }
  expect(show(CertificateSheet, { certificate: expired }, 'en').says('certificate-actor')).toContain(
    'The retention clock',
  )
})
