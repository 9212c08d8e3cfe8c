// The pages' two languages. Chinese is the default; the switch is remembered in the browser.
import { createI18n } from 'vue-i18n'
import { en } from './locales/en'
import { zhCN } from './locales/zh-CN'

export const LANGUAGES = ['zh-CN', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

const REMEMBERED = 'lectern.language'

/** The language chosen before, or Chinese. A browser that refuses storage counts as nothing chosen. */
export function rememberedLanguage(): Language {
  try {
    const kept = localStorage.getItem(REMEMBERED)
    return LANGUAGES.find((language) => language === kept) ?? 'zh-CN'
  } catch {
    return 'zh-CN'
  }
}

export function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(REMEMBERED, language)
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

export const i18n = createI18n({
  legacy: false,
  locale: rememberedLanguage(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zhCN, en },
})

export const t = i18n.global.t
