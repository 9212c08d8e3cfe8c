// @vitest-environment happy-dom
import { beforeEach, expect, it } from 'vitest'
import { recall, remember } from './volumeMemory'

beforeEach(() => localStorage.clear())

it('remembers', () => {
  remember({ volume: 0.4, muted: true })
  expect(recall()).toEqual({ volume: 0.4, muted: true })
})

it.each(['', 'no json', '{"volume": 7}', '{"volume": "loud"}', '[]'])(
  'falls back to full sound for %s',
  (kept) => {
    localStorage.setItem('lectern.volume', kept)
    expect(recall()).toEqual({ volume: 1, muted: false })
  },
)
