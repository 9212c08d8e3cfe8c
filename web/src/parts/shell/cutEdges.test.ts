import { expect, it } from 'vitest'
import { cutEdges, middleOf } from './cutEdges'

it('says on which side a row goes on', () => {
  expect(cutEdges({ scrollLeft: 0, clientWidth: 390, scrollWidth: 390 })).toEqual({
    left: false,
    right: false,
  })
  expect(cutEdges({ scrollLeft: 0, clientWidth: 390, scrollWidth: 520 })).toEqual({
    left: false,
    right: true,
  })
  expect(cutEdges({ scrollLeft: 60, clientWidth: 390, scrollWidth: 520 })).toEqual({
    left: true,
    right: true,
  })
  expect(cutEdges({ scrollLeft: 129.6, clientWidth: 390, scrollWidth: 520 })).toEqual({
    left: true,
    right: false,
  })
})

it('brings an item to the middle, as far as the row goes', () => {
  const row = { clientWidth: 300, scrollWidth: 700 }
  expect(middleOf({ left: 0, width: 60 }, row)).toBe(0)
  expect(middleOf({ left: 300, width: 100 }, row)).toBe(200)
  expect(middleOf({ left: 640, width: 60 }, row)).toBe(400)
})
