// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from 'vitest'
import { onPage } from '@/parts/pageForTests'
import SignInPage from './SignInPage.vue'

let stop: () => void = () => undefined
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

it('takes no typing while it waits, and hands a refused password back selected', async () => {
  let answer: (response: Response) => void = () => undefined
  const page = await onPage(SignInPage, { at: '/sign-in' })
  stop = page.stop
  const asked = vi.fn(() => new Promise<Response>((done) => (answer = done)))
  vi.stubGlobal('fetch', asked)
  const input = (name: string) => {
    const found = page.find(name)
    return (found instanceof HTMLInputElement ? found : found?.querySelector('input')) as HTMLInputElement
  }
  for (const [name, text] of [
    ['login', 'learner'],
    ['password', 'Wrong-password-1'],
  ] as const) {
    input(name).value = text
    input(name).dispatchEvent(new Event('input'))
  }
  await page.settled()
  const form = page.find('sign-in-form') as HTMLFormElement
  const submit = () => form.dispatchEvent(new Event('submit', { cancelable: true }))
  submit()
  await page.settled()
  expect([input('login').disabled, input('password').disabled]).toEqual([true, true])
  submit()
  expect(asked).toHaveBeenCalledOnce()
  answer(Response.json({ code: 'bad_credentials' }, { status: 401 }))
  await page.settled()
  expect(input('password').disabled).toBe(false)
  expect(input('password').value).toBe('Wrong-password-1')
  expect(document.activeElement).toBe(input('password'))
  expect((input('password').selectionEnd ?? 0) - (input('password').selectionStart ?? 0)).toBe(16)
})
