import { describe, expect, it } from 'vitest'
import {
  behindSeconds,
  clampSeek,
  clockAt,
  isAtEnd,
  isAtLive,
  LIVE_SLACK_SECONDS,
  livePosition,
  positionAt,
  shareOf,
} from './liveEdge'

const window = { start: 0, edge: 600, targetLatency: 1.5 }

describe('where a viewer is behind the live edge', () => {
  it('counts at the target as live, and the slack with it', () => {
    expect(isAtLive(window, 598.5)).toBe(true)
    expect(isAtLive(window, 600 - 1.5 - LIVE_SLACK_SECONDS)).toBe(true)
    expect(isAtLive(window, 600 - 1.5 - LIVE_SLACK_SECONDS - 0.1)).toBe(false)
  })

  it('never counts a position past the edge as a negative distance', () => {
    expect(behindSeconds(window, 600.4)).toBe(0)
    expect(behindSeconds(window, 540)).toBe(60)
  })

  it('goes back to the target behind the edge, but not before the beginning', () => {
    expect(livePosition(window)).toBe(598.5)
    expect(livePosition({ start: 10, edge: 10.5, targetLatency: 1.5 })).toBe(10)
  })
})

it('is at the end within the last frame, and not when there is nothing', () => {
  expect(isAtEnd(45.46, 45.36)).toBe(true)
  expect(isAtEnd(45.46, 44)).toBe(false)
  expect(isAtEnd(0, 0)).toBe(false)
})

describe('the bar', () => {
  it('maps positions to shares and back', () => {
    expect(shareOf(100, 300, 150)).toBe(0.25)
    expect(positionAt(100, 300, 0.25)).toBe(150)
    expect(shareOf(100, 300, 90)).toBe(0)
    expect(shareOf(100, 300, 310)).toBe(1)
    expect(positionAt(100, 300, 1.2)).toBe(300)
  })

  it('is full when there is nothing yet', () => {
    expect(shareOf(0, 0, 0)).toBe(1)
    expect(positionAt(5, 5, 0.5)).toBe(5)
  })

  it('keeps seeks inside', () => {
    expect(clampSeek(10, 20, 5)).toBe(10)
    expect(clampSeek(10, 20, 25)).toBe(20)
    expect(clampSeek(10, 8, 25)).toBe(10)
  })
})

describe('the wall clock of a position', () => {
  const fragments = [
    { start: 0, duration: 2, programDateTime: 1_000_000 },
    { start: 2, duration: 2, programDateTime: 1_002_000 },
    { start: 4, duration: 2, programDateTime: 1_009_000 }, // the encoder was away for five seconds
  ]

  it('comes from the fragment that holds it', () => {
    expect(clockAt(fragments, 3.5)).toBe(1_003_500)
    expect(clockAt(fragments, 4)).toBe(1_009_000)
    expect(clockAt(fragments, 5.25)).toBe(1_010_250)
  })

  it('goes on from the last fragment past the end, and back from the first', () => {
    expect(clockAt(fragments, 7)).toBe(1_012_000)
    expect(clockAt(fragments, -1)).toBe(999_000)
  })

  it('is unknown without dates', () => {
    expect(clockAt([], 1)).toBeNull()
    expect(clockAt([{ start: 0, duration: 2, programDateTime: null }], 1)).toBeNull()
  })
})
