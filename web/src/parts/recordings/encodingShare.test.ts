import { expect, it } from 'vitest'
import { encodingOf } from './encodingShare'

it.each([
  [
    { done: 0, total: 0, failed: 0 },
    { kind: 'none', share: 0 },
  ],
  [
    { done: 3, total: 12, failed: 0 },
    { kind: 'running', share: 0.25 },
  ],
  [
    { done: 12, total: 12, failed: 0 },
    { kind: 'whole', share: 1 },
  ],
  [
    { done: 9, total: 12, failed: 1 },
    { kind: 'failed', share: 0.75 },
  ],
  [
    { done: 13, total: 12, failed: 0 },
    { kind: 'whole', share: 1 },
  ],
])('reads %o', (encoding, view) => {
  expect(encodingOf(encoding)).toEqual(view)
})
