import { expect, it } from 'vitest'
import { curve, droppedLately, type Sample, withSample } from './history'

const sample = (at: number, kbps = 1000, dropped: number | null = 0): Sample => ({ at, kbps, dropped })

it('keeps one minute', () => {
  let history: Sample[] = []
  for (let second = 0; second < 100; second += 1) history = withSample(history, sample(second * 1000))
  expect(history).toHaveLength(60)
  expect(history[0]?.at).toBe(40_000)
})

it('counts the drops of the last ten seconds', () => {
  const history = [sample(0, 1, 100), sample(5000, 1, 105), sample(14_000, 1, 112)]
  expect(droppedLately(history)).toBe(7)
  expect(droppedLately([])).toBeNull()
  expect(droppedLately([sample(0, 1, null)])).toBeNull()
})

it('takes a counter that fell for a new take', () => {
  expect(droppedLately([sample(0, 1, 50), sample(1000, 1, 2)])).toBe(2)
})

it('draws from the left of the minute to now', () => {
  expect(curve([sample(0, 0), sample(60_000, 1000)], 60_000, 100, 11)).toBe('M0.0 11.0L100.0 1.0')
  expect(curve([], 0, 100, 10)).toBe('')
})
