import { expect, it } from 'vitest'
import type { Recording } from '@/api/recordings'
import { actionsFor } from './actions'

const all = ['recording_promote', 'recording_hold', 'recording_hold_lift', 'recording_purge']
const hold = { id: 'h', reason: 'r', placed_by: null, placed_at: '2026-06-01T00:00:00Z' }
const of = (
  state: Recording['state'],
  holds: Recording['holds'] = [],
  may = all,
  until: string | null = null,
) => [...actionsFor({ state, holds, may, purge_begins_at: until })].sort()
const until = '2026-06-04T00:00:00Z'

it('offers what the state allows', () => {
  expect(of('stored')).toEqual(['hold', 'promote', 'purge'])
  expect(of('marked', [], all, until)).toEqual(['hold', 'rescue'])
  expect(of('promoted')).toEqual([])
  expect(of('purged')).toEqual([])
})

it('does not offer to purge what is on hold', () => {
  expect(of('stored', [hold])).toEqual(['hold', 'lift', 'promote'])
})

it('offers nothing that `may` does not name', () => {
  expect(of('stored', [hold], ['recording_play'])).toEqual([])
  expect(of('marked', [], ['recording_purge'], until)).toEqual([])
})

it('does not offer to take back what a person ordered away', () => {
  expect(of('marked')).toEqual(['hold'])
  expect(of('marked', [hold]), 'a hold stopped it').toEqual(['hold', 'lift', 'rescue'])
})
