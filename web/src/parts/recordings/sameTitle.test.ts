import { expect, it } from 'vitest'
import { sameTitle } from './sameTitle'

it('accepts the title, however an input method wrote its widths and spaces', () => {
  expect(sameTitle(' 课堂提问的艺术(第二讲) ', '课堂提问的艺术\uff08第二讲\uff09')).toBe(true)
  expect(sameTitle('Unit\u00a0 3', 'Unit 3')).toBe(true)
})

it('accepts nothing else', () => {
  expect(sameTitle('课堂提问的艺术', '课堂提问的艺术\uff08第二讲\uff09')).toBe(false)
  expect(sameTitle('', 'x')).toBe(false)
})
