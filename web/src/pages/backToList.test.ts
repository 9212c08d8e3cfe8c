// @vitest-environment happy-dom
// What cannot be found leads back to its list, and the list's door in the header stays lit on the pages of its things.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, expect, it, vi } from 'vitest'
import { createApp, h, type Component } from 'vue'
import { i18n } from '@/i18n'
import AppHeader from '@/parts/shell/AppHeader.vue'
import { DOORS } from '@/parts/shell/navigation'
import { router } from '@/router'
import { useSignIn } from '@/stores/signIn'
import CoursePage from './CoursePage.vue'
import ReplayPage from './ReplayPage.vue'
import SessionPage from './SessionPage.vue'
import WatchPage from './WatchPage.vue'

const SIGNED_IN = {
  account: { id: 'me', login: 'me', display_name: '我' },
  grants: [],
  csrf_token: '',
  may: DOORS.map((door) => door.needs).filter(Boolean),
}
let unmount: () => void = () => undefined

function show(part: Component, props: Record<string, unknown> = {}) {
  i18n.global.locale.value = 'zh-CN'
  const pinia = createPinia()
  setActivePinia(pinia)
  useSignIn().current = SIGNED_IN as never
  const place = document.body.appendChild(document.createElement('div'))
  const app = createApp({ render: () => h(part, props) })
  app.use(i18n).use(pinia).use(router).mount(place)
  unmount = () => {
    app.unmount()
    place.remove()
  }
  return (name: string) => place.querySelector<HTMLElement>(`[data-test="${name}"]`)
}

afterEach(() => {
  unmount()
  vi.unstubAllGlobals()
})

it.each([
  ['recording', ReplayPage, 'recordings'],
  ['course', CoursePage, 'courses'],
  ['session', SessionPage, 'schedule'],
  ['session to watch', WatchPage, 'schedule'],
] as const)('a %s that is not there leads back to its list', async (_name, part, list) => {
  const body = JSON.stringify({ status: 404, code: 'not_found', title: 'Not found' })
  vi.stubGlobal('fetch', async () => new Response(body, { status: 404 }))
  const at = show(part, { id: '00000000-0000-0000-0000-000000000000' })
  await vi.waitFor(() => expect(at('problem')).not.toBeNull())
  const note = at('problem')
  expect(note?.querySelector('[data-test="retry"]')).not.toBeNull()
  expect(note?.querySelector(`[data-test="back-to-${list}"]`)?.getAttribute('href')).toBe(`/${list}`)
})

it.each([
  ['replay', 'recordings'],
  ['course', 'courses'],
  ['certificate', 'certificates'],
  ['session', 'schedule'],
  ['watch', 'schedule'],
])('on a page of kind %s the door %s is lit', async (name, door) => {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(SIGNED_IN)))
  const at = show(AppHeader)
  await router.push({ name, params: { id: 'x' } })
  await vi.waitFor(() => expect(at(`nav-${door}`)?.classList).toContain('lit'))
  expect(document.querySelectorAll('nav .lit')).toHaveLength(1)
})
