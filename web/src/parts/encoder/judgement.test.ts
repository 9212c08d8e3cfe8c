import { describe, expect, it } from 'vitest'
import type { LiveState } from '@/api/sessions'
import {
  isPublishing,
  judgeBitRate,
  judgeDrops,
  judgeFrameRate,
  judgeKeyframes,
  judgeResolution,
  worst,
} from './judgement'

const live = (more: Partial<LiveState>): LiveState => ({ state: 'publishing', ...more })

describe('words for an encoder', () => {
  it.each([
    [1080, 'good'],
    [720, 'good'],
    [540, 'fair'],
    [360, 'poor'],
    [null, 'unknown'],
  ] as const)('%s lines are %s', (height, verdict) => {
    expect(judgeResolution(live({ height })).verdict).toBe(verdict)
  })

  it.each([
    [23.976, 'good'],
    [15, 'fair'],
    [5, 'poor'],
    [0, 'unknown'],
  ] as const)('%s frames a second are %s', (frame_rate, verdict) => {
    expect(judgeFrameRate(live({ frame_rate })).verdict).toBe(verdict)
  })

  it.each([
    [2500, 'enough'],
    [400, 'little'],
    [50, 'little'],
    [14_000, 'too_much'],
  ])('%d kbps at 720p30 are %s', (video_kbps, word) => {
    expect(judgeBitRate(live({ video_kbps, width: 1280, height: 720, frame_rate: 30 })).word).toBe(word)
  })

  it('does not judge a bit rate without a size', () => {
    expect(judgeBitRate(live({ video_kbps: 2500 })).verdict).toBe('unknown')
  })

  it.each([
    [2000, 'short'],
    [4000, 'short'],
    [4001, 'long'],
    [10_000, 'too_long'],
  ])('a key frame each %d ms is %s', (keyframe_interval_ms, word) => {
    expect(judgeKeyframes(live({ keyframe_interval_ms })).word).toBe(word)
  })

  it('judges drops of late only', () => {
    expect([null, 0, 3, 40].map((n) => judgeDrops(n).word)).toEqual(['unknown', 'none', 'some', 'many'])
  })
})

it('says the worst of all', () => {
  expect(worst(['good', 'fair', 'unknown'])).toBe('fair')
  expect(worst(['good', 'poor'])).toBe('poor')
  expect(worst(['unknown'])).toBe('unknown')
})

it('knows a session without an encoder', () => {
  expect(isPublishing(null)).toBe(false)
  expect(isPublishing({ state: 'scheduled' })).toBe(false)
  expect(isPublishing(live({ take_id: 't' }))).toBe(true)
})
