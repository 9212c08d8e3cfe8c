// The language switch: the page's words, the document's language, and Element Plus's own words follow it.
import { defineStore } from 'pinia'
import { computed, ref, watchEffect } from 'vue'
import elementEn from 'element-plus/es/locale/lang/en'
import elementZh from 'element-plus/es/locale/lang/zh-cn'
import { i18n, type Language, rememberLanguage } from '@/i18n'

export const useLanguage = defineStore('language', () => {
  const language = ref<Language>(i18n.global.locale.value)
  const elementLocale = computed(() => (language.value === 'en' ? elementEn : elementZh))

  watchEffect(() => {
    i18n.global.locale.value = language.value
    document.documentElement.lang = language.value
  })

  function speak(next: Language): void {
    language.value = next
    rememberLanguage(next)
  }

  return { language, elementLocale, speak }
})
