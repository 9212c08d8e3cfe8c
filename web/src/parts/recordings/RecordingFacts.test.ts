// @vitest-environment happy-dom
import { afterEach, expect, it } from 'vitest'
import type { Recording } from '@/api/recordings'
import { onPage } from '@/parts/pageForTests'
import RecordingFacts from './RecordingFacts.vue'

let stop: () => void = () => undefined
afterEach(() => stop())

const recording = (peak_viewers: number | null) =>
  ({
    started_at: '2026-11-24T01:00:00Z',
    duration_ms: 2_700_000,
    bytes: 0,
    peak_viewers,
    may: [],
  }) as unknown as Recording

it.each([
  [87, 'zh-CN', '直播时最多 87 人同时在看'],
  [87, 'en', '87 watched live at most'],
  [0, 'zh-CN', '直播时最多 0 人同时在看'],
] as const)('tells how many watched it live: %s', async (peak, language, words) => {
  ;({ stop } = await onPage(RecordingFacts, { props: { recording: recording(peak) }, language }))
  expect(document.body.textContent).toContain(words)
})

it('and nothing to who is not told', async () => {
  ;({ stop } = await onPage(RecordingFacts, { props: { recording: recording(null) } }))
  expect(document.body.textContent).not.toContain('直播时最多')
})
