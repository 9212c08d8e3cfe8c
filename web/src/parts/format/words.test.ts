import { describe, expect, it } from 'vitest'
import {
  bitRateWords,
  bytesWords,
  clockWords,
  dateWords,
  dayWords,
  instantWords,
  mediaTime,
  spanWords,
  untilWords,
} from './words'

describe('times are Beijing time, whatever the browser thinks', () => {
  const late = '2026-11-24T16:05:09Z' // five past midnight on the 25th

  it('in Chinese', () => {
    expect(dateWords(late, 'zh-CN')).toBe('2026年11月25日')
    expect(dayWords(late, 'zh-CN')).toBe('11月25日 周三')
    expect(clockWords(late, 'zh-CN')).toBe('00:05')
    expect(clockWords(late, 'zh-CN', true)).toBe('00:05:09')
    expect(instantWords(late, 'zh-CN')).toBe('2026年11月25日 00:05')
    expect(spanWords('2026-11-25T01:00:00Z', '2026-11-25T02:35:00Z', 'zh-CN')).toBe('09:00–10:35')
  })

  it('says the day of an end only when it is another', () => {
    expect(untilWords('2026-11-24T09:33:00Z', '2026-11-24T11:10:00Z', 'en')).toBe('19:10')
    expect(untilWords('2026-11-24T15:33:00Z', late, 'en')).toBe('25 Nov 2026 00:05')
  })

  it('in English', () => {
    expect(dateWords(late, 'en')).toBe('25 Nov 2026')
    expect(clockWords(late, 'en')).toBe('00:05')
  })
})

it.each([
  [0, '0:00'],
  [59.99, '0:59'],
  [61, '1:01'],
  [3729, '1:02:09'],
  [-3, '0:00'],
  [Number.NaN, '0:00'],
  [Number.POSITIVE_INFINITY, '0:00'],
])('media time of %f s is %s', (seconds, text) => {
  expect(mediaTime(seconds)).toBe(text)
})

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [999.6, '1.00 KB'],
  [12_300, '12.3 KB'],
  [812_000, '812 KB'],
  [999_600, '1.00 MB'],
  [3_412_000_000, '3.41 GB'],
  [null, '–'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesWords(bytes)).toBe(text)
})

it.each([
  [128, '128 kbps'],
  [999.4, '999 kbps'],
  [2480, '2.5 Mbps'],
  [null, '–'],
  [undefined, '–'],
])('%s kbps is %s', (kbps, text) => {
  expect(bitRateWords(kbps)).toBe(text)
})
