import { expect, it } from 'vitest'
import { stillAt } from './stills'

const stills = [0, 10_000, 20_000].map((at_ms) => ({ at_ms, url: `/${at_ms}` }))

it('shows the last still at or before the moment', () => {
  expect(stillAt(stills, 0)?.at_ms).toBe(0)
  expect(stillAt(stills, 9.99)?.at_ms).toBe(0)
  expect(stillAt(stills, 10)?.at_ms).toBe(10_000)
  expect(stillAt(stills, 900)?.at_ms).toBe(20_000)
})

it('has none for a recording without stills, and the first before the first', () => {
  expect(stillAt([], 3)).toBeNull()
  expect(stillAt(stills.slice(1), 3)?.at_ms).toBe(10_000)
})
