import { expect, it } from 'vitest'
import { gateOf } from './gateWords'

it('says first what keeps the picture from its audience', () => {
  expect(gateOf({ state: 'scheduled' }, null)).toBe('shut')
  expect(gateOf({ state: 'live' }, { state: 'live', take_id: 't' })).toBe('open')
  expect(gateOf({ state: 'live' }, { state: 'reconnecting' })).toBe('silent')
  expect(gateOf({ state: 'live' }, { state: 'live', take_id: 't', frozen: true })).toBe('frozen')
  expect(gateOf({ state: 'cut' }, { state: 'cut', take_id: 't', frozen: true })).toBe('cut')
})
