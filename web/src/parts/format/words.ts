// Numbers, sizes and times as people read them. Pure: the language is an argument.
import { ZONE } from './zone'

type Instant = string | number | Date

const formats = new Map<string, Intl.DateTimeFormat>()

function dateFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  let format = formats.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
      timeZone: ZONE,
      hourCycle: 'h23',
      ...options,
    })
    formats.set(key, format)
  }
  return format
}

export const dateWords = (instant: Instant, language: string) =>
  dateFormat(language, {
    year: 'numeric',
    month: language === 'en' ? 'short' : 'long',
    day: 'numeric',
  }).format(new Date(instant))

/** `11月24日 周二`, `Tue 24 Nov`. */
export const dayWords = (instant: Instant, language: string) =>
  dateFormat(language, {
    month: language === 'en' ? 'short' : 'long',
    day: 'numeric',
    weekday: 'short',
  })
    .format(new Date(instant))
    .replace(/日(?=周)/, '日 ')

export const clockWords = (instant: Instant, language: string, seconds = false) =>
  dateFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  }).format(new Date(instant))

export const instantWords = (instant: Instant, language: string) =>
  `${dateWords(instant, language)} ${clockWords(instant, language)}`

/** The end of a span whose beginning is written in full: its day only where that is another. */
export const untilWords = (from: Instant, to: Instant, language: string) =>
  dateWords(from, language) === dateWords(to, language)
    ? clockWords(to, language)
    : instantWords(to, language)

/** `09:00–10:35` */
export const spanWords = (from: Instant, to: Instant, language: string) =>
  `${clockWords(from, language)}–${clockWords(to, language)}`

/** Seconds of media as `4:05` or `1:02:09`. */
export function mediaTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0))
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const rest = String(whole % 60).padStart(2, '0')
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

/** Bytes in decimal units with three figures at most: `0 B`, `812 KB`, `1.24 GB`. */
export function bytesWords(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return '–'
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${units[unit]}`
}

/** Kilobits a second: `640 kbps`, `4.5 Mbps`. */
export function bitRateWords(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined) return '–'
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbps` : `${Math.round(kbps)} kbps`
}

const CODECS: Record<string, string> = {
  h264: 'H.264',
  h265: 'H.265',
  av1: 'AV1',
  aac: 'AAC',
  opus: 'Opus',
}

/** A codec's own name: `H.264`. */
export const codecWords = (codec: string) => CODECS[codec] ?? codec
