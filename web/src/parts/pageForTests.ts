// A component as it stands on a page, for the tests: the real router, store and words over answers that a test gives.
import { createPinia } from 'pinia'
import { type Component, createApp, h } from 'vue'
import { createMemoryHistory, createRouter, type RouteRecordRaw } from 'vue-router'
import { i18n, type Language } from '@/i18n'
import { router as real } from '@/router'
import { useSignIn } from '@/stores/signIn'

interface Wanted {
  props?: Record<string, unknown>
  at?: string
  language?: Language
  roles?: string[]
  may?: string[]
}

const NOWHERE = { render: () => null }

/** Mounts it and waits until what it asks for at first is answered. `stop` takes it away again. */
export async function onPage(component: Component, wanted: Wanted = {}) {
  const { props = {}, at: path = '/', language = 'zh-CN', roles = [], may = [] } = wanted
  i18n.global.locale.value = language
  const routes: RouteRecordRaw[] = real
    .getRoutes()
    .map(({ path: at, name }) => ({ path: at, name: name ?? at, component: NOWHERE }) as RouteRecordRaw)
  const router = createRouter({ history: createMemoryHistory(), routes })
  const pinia = createPinia()
  const place = document.createElement('div')
  document.body.append(place)
  const app = createApp({ render: () => h(component, props) })
    .use(i18n)
    .use(pinia)
  const signIn = useSignIn(pinia)
  const answer = {
    id: 's',
    account: { id: 'a', login: 'who', display_name: '某人' },
    grants: roles.map((role) => ({ role, scope_kind: 'institute', scope_id: null })),
    may,
    csrf_token: 'token',
    expires_at: '2030-01-01T00:00:00Z',
  }
  const asking = globalThis.fetch
  globalThis.fetch = () => Promise.resolve(Response.json(answer))
  await signIn.restore()
  globalThis.fetch = asking
  app.use(router)
  await router.push(path)
  app.mount(place)
  const settled = () => new Promise((done) => setTimeout(done, 5))
  await settled()
  const find = (name: string) => document.querySelector<HTMLElement>(`[data-test="${name}"]`)
  return {
    router,
    find,
    settled,
    says: (name: string) => find(name)?.textContent?.replace(/\s+/g, ' ').trim() ?? '',
    stop: () => {
      app.unmount()
      place.remove()
    },
  }
}
