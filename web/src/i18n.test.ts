// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from 'vitest'
import { rememberedLanguage, rememberLanguage } from './i18n'

beforeEach(() => localStorage.clear())

it('speaks Chinese until told otherwise, then remembers', () => {
  expect(rememberedLanguage()).toBe('zh-CN')
  rememberLanguage('en')
  expect(rememberedLanguage()).toBe('en')
})

it('speaks Chinese for a language it does not have, or without storage', () => {
  localStorage.setItem('lectern.language', 'fr')
  expect(rememberedLanguage()).toBe('zh-CN')
  const refused = vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
    throw new DOMException('denied', 'SecurityError')
  })
  expect(rememberedLanguage()).toBe('zh-CN')
  refused.mockRestore()
})
