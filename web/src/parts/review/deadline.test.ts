import { describe, expect, it } from 'vitest'
import { aheadOf, secondsLeft, tenths, TIGHT_SECONDS } from './deadline'

describe('the time a reviewer has', () => {
  it('is what the delay leaves of it', () => {
    expect(secondsLeft(5, 1.4)).toBeCloseTo(3.6)
    expect(secondsLeft(5, 7)).toBe(-2)
    expect(secondsLeft(5, null)).toBeNull()
  })

  it('is ample, tight or gone', () => {
    expect(aheadOf(null)).toBe('unknown')
    expect(aheadOf(3)).toBe('ample')
    expect(aheadOf(TIGHT_SECONDS - 0.1)).toBe('tight')
    expect(aheadOf(0)).toBe('late')
  })

  it('is never said to be longer than it is', () => {
    expect(tenths(3.69)).toBe('3.6')
    expect(tenths(3)).toBe('3.0')
    expect(tenths(-0.2)).toBe('0.0')
  })
})
