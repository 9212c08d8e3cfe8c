import { describe, expect, it } from 'vitest'
import type { LiveState } from '@/api/sessions'
import { goneSeconds, presenceOf } from './presence'

const LOST = '2026-09-14T02:00:05Z'
const gone = (more: Partial<LiveState>): LiveState => ({
  state: 'reconnecting',
  node: 'ingest-1',
  encoder_lost_at: LOST,
  at: '2026-09-14T02:01:10Z',
  ...more,
})

describe('whether an encoder is there', () => {
  it.each([
    [null, 'none'],
    [{ state: 'scheduled', node: '' }, 'none'],
    [{ state: 'live', node: 'ingest-1', take_id: 't' }, 'publishing'],
    [gone({}), 'reconnecting'],
    [gone({ state: 'waiting' }), 'lost'],
    [gone({ state: 'cut' }), 'reconnecting'],
    [gone({ state: 'cut', take_id: 't', encoder_lost_at: null }), 'publishing'],
    [gone({ state: 'ended' }), 'none'],
    [gone({ problem_code: 'unsupported_codec' }), 'none'],
    [gone({ problem_code: 'disk_full' }), 'reconnecting'],
    [gone({ problem_code: 'disk_failing' }), 'reconnecting'],
    [{ state: 'live', node: '' }, 'unheard'],
    [{ state: 'cut', node: '' }, 'unheard'],
  ] as [LiveState | null, string][])('%j is %s', (live, presence) => {
    expect(presenceOf(live)).toBe(presence)
  })

  it('counts from the loss by the clock of the server alone', () => {
    expect(goneSeconds(gone({}))).toBe(65)
    expect(goneSeconds(gone({ at: '2026-09-14T02:00:04Z' }))).toBe(0)
    expect(goneSeconds({ state: 'live', node: '' })).toBeNull()
  })
})
