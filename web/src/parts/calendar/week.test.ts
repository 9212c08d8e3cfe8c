import { describe, expect, it } from 'vitest'
import type { Session } from '@/api/sessions'
import { byDay, gridEvent, hoursFor, openingMinute, weekFrom, weekOf } from './week'

const session = (id: string, starts_at: string, ends_at: string) =>
  ({ id, title: id, state: 'scheduled', kind: 'daily', starts_at, ends_at }) as Session

describe('the week', () => {
  it('begins on Monday, Beijing time', () => {
    const week = weekOf('2026-11-29T15:00:00Z') // still Sunday
    expect(week.monday).toBe('2026-11-23')
    expect(week.from.toISOString()).toBe('2026-11-22T16:00:00.000Z')
    expect(week.to.toISOString()).toBe('2026-11-29T16:00:00.000Z')
    expect(weekOf('2026-11-29T16:00:00Z').monday).toBe('2026-11-30')
  })

  it('moves by whole weeks', () => {
    expect(weekOf('2026-11-25T00:00:00Z', 1).monday).toBe('2026-11-30')
    expect(weekOf('2027-01-01T00:00:00Z', -1).monday).toBe('2026-12-21')
  })
})

it('is read from an address, and nothing else is', () => {
  expect(weekFrom('2026-11-30')).toEqual(weekOf('2026-11-25T00:00:00Z', 1))
  expect(weekFrom('2026-11-29')?.monday).toBe('2026-11-23')
  for (const wrong of [
    '2026-02-30',
    '2026-13-01',
    'now',
    '',
    undefined,
    ['2026-11-23'],
    '2026-11-23T00:00:00Z',
  ]) {
    expect(weekFrom(wrong), String(wrong)).toBeNull()
  }
})

describe('the grid opens', () => {
  const week = weekOf('2026-11-24T00:00:00Z')
  const afternoon = session('a', '2026-11-24T06:30:00Z', '2026-11-24T07:00:00Z') // 14:30
  const evening = session('b', '2026-11-23T11:00:00Z', '2026-11-23T12:00:00Z') // 19:00

  it('near now in the week that runs', () => {
    expect(openingMinute([afternoon], week, Date.parse('2026-11-26T10:20:00Z'))).toBe(17 * 60 + 20)
    expect(openingMinute([], week, Date.parse('2026-11-25T16:10:00Z'))).toBe(0)
  })

  it('at the earliest class of another week', () => {
    const now = Date.parse('2026-12-03T10:20:00Z')
    expect(openingMinute([evening, afternoon], week, now)).toBe(14 * 60)
    expect(openingMinute([], week, now)).toBeNull()
  })
})

describe('the hours of the grid', () => {
  it('are those of the teaching day', () => {
    expect(hoursFor([])).toEqual({ first: 8, last: 21 })
  })

  it('widen for what lies outside', () => {
    const early = session('a', '2026-11-23T22:10:00Z', '2026-11-23T23:00:00Z') // 06:10–07:00
    const late = session('b', '2026-11-24T13:00:00Z', '2026-11-24T14:30:00Z') // 21:00–22:30
    expect(hoursFor([early, late])).toEqual({ first: 6, last: 23 })
  })

  it('show the whole day when a session runs over midnight', () => {
    expect(hoursFor([session('a', '2026-11-24T15:30:00Z', '2026-11-24T16:30:00Z')])).toEqual({
      first: 0,
      last: 24,
    })
  })
})

it('gives the grid wall-clock times and the state as a class', () => {
  expect(gridEvent(session('a', '2026-11-24T01:00:00Z', '2026-11-24T02:35:00Z'))).toMatchObject({
    start: '2026-11-24T09:00:00Z',
    end: '2026-11-24T10:35:00Z',
    classNames: ['session', 'scheduled', 'daily'],
  })
})

it('lists sessions by local day, in order', () => {
  const days = byDay([
    session('late', '2026-11-24T16:30:00Z', '2026-11-24T17:00:00Z'),
    session('second', '2026-11-24T06:00:00Z', '2026-11-24T07:00:00Z'),
    session('first', '2026-11-24T01:00:00Z', '2026-11-24T02:00:00Z'),
  ])
  expect(days.map((one) => [one.day, one.sessions.map((s) => s.id)])).toEqual([
    ['2026-11-24', ['first', 'second']],
    ['2026-11-25', ['late']],
  ])
})
