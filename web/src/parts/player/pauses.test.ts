import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIRST_HOLDING_INIT, leftBehind, pauseAt, pausesIn, soughtPast, stepped } from './pauses'

const CLASS = { relurl: 'init-0.mp4' }
const PICTURE = { relurl: 'init-912345678.mp4' }
const laid = (...inits: ({ relurl: string } | null)[]) =>
  inits.map((initSegment, index) => ({ start: index * 2, duration: 2, initSegment }))

describe('the pauses of a live stream', () => {
  it('are where it shows the holding picture, each as one', () => {
    const fragments = laid(CLASS, PICTURE, PICTURE, { ...CLASS, relurl: 'init-1.mp4' }, PICTURE)
    expect(pausesIn(fragments)).toEqual([
      { start: 2, end: 6 },
      { start: 8, end: 10 },
    ])
    expect(pausesIn(laid(CLASS, null, CLASS))).toEqual([])
  })

  it('are known by the sound alone too', () => {
    const [sound, silence] = [{ relurl: 'audio-init-3.mp4' }, { relurl: 'audio-init-900000000.mp4' }]
    expect(pausesIn(laid(sound, silence))).toEqual([{ start: 2, end: 4 }])
  })

  it('grow with the fragment that is open, which may have no length yet', () => {
    const open = { start: 4, duration: 0, initSegment: PICTURE }
    expect(pausesIn(laid(CLASS, PICTURE), open, 5.5)).toEqual([{ start: 2, end: 5.5 }])
    expect(pausesIn(laid(CLASS, CLASS), open, 5.5)).toEqual([{ start: 4, end: 5.5 }])
    expect(pausesIn(laid(CLASS, PICTURE), { ...open, initSegment: CLASS }, 5.5)).toEqual([
      { start: 2, end: 4 },
    ])
  })
})

it('are told by the number that the ingest gives them', () => {
  const events = readFileSync(resolve(import.meta.dirname, '../../../../ingest/events.py'), 'utf8')
  const said = /^FIRST_HOLDING_INIT = ([\d_]+)$/m.exec(events)?.[1]?.replaceAll('_', '')
  expect(Number(said)).toBe(FIRST_HOLDING_INIT)
})

describe('who seeks', () => {
  const pauses = [{ start: 100, end: 160 }]

  it('comes to no moment of a pause but its end', () => {
    expect([99, 100, 130, 160].map((at) => soughtPast(pauses, at))).toEqual([99, 160, 160, 160])
    expect(pauseAt(pauses, 160)).toBeNull()
  })

  it('steps over it both ways, by as much of the class as without it', () => {
    expect(stepped(pauses, 162, -5)).toBe(97)
    expect(stepped(pauses, 97, 5)).toBe(162)
    expect(stepped(pauses, 50, 5)).toBe(55)
  })

  it('steps out of the one that is on', () => {
    expect(stepped(pauses, 158, -5)).toBe(95)
    expect(stepped(pauses, 158, 5)).toBe(165)
  })

  it('is taken past one that is over, but sees the class come back at the live edge', () => {
    const left = (position: number, edge: number) => leftBehind(pauses, position, edge, 5)
    expect(left(120, 400)).toBe(160)
    expect(left(99, 400)).toBeNull()
    expect(left(157, 162), 'at the edge').toBeNull()
    expect(left(120, 160), 'it goes on').toBeNull()
    expect(left(120, 160.2), 'it may go on').toBeNull()
  })
})
