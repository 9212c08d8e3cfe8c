// The formatting functions bound to the language of the page, for templates.
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { codeWords, type Facts, problemWords } from '@/api/problems'
import { clockWords, dateWords, dayWords, instantWords, spanWords, untilWords } from './words'

type Instant = string | number | Date

export function useWords() {
  const { t, te, locale } = useI18n()
  const language = computed(() => locale.value)
  const instant = (value: Instant) => instantWords(value, language.value)
  const words = {
    t: (key: string, facts: Record<string, unknown>) => t(key, facts),
    te: (key: string) => te(key),
    instant,
  }

  return {
    t,
    te,
    language,
    date: (value: Instant) => dateWords(value, language.value),
    day: (value: Instant) => dayWords(value, language.value),
    clock: (value: Instant, seconds = false) => clockWords(value, language.value, seconds),
    instant,
    until: (from: Instant, to: Instant) => untilWords(from, to, language.value),
    span: (from: Instant, to: Instant) => spanWords(from, to, language.value),
    problem: (error: unknown) => problemWords(error, words),
    code: (code: string, facts: Facts) => codeWords(code, facts, words),
    /** The institute's names come in both languages. */
    named: (thing: { name_zh: string; name_en: string }) =>
      language.value === 'en' ? thing.name_en || thing.name_zh : thing.name_zh,
  }
}
