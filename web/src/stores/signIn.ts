// Who is signed in, in this window. The cookie is the browser's own; here is only what the pages show and send.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { setCsrfToken } from '@/api/client'
import * as api from '@/api/signIns'

export const useSignIn = defineStore('signIn', () => {
  const current = ref<api.SignIn | null>(null)
  const account = computed(() => current.value?.account ?? null)
  const roles = computed(() => new Set(current.value?.grants.map((grant) => grant.role) ?? []))
  /** Whose eyes a picture is for: laid over all that is played. */
  const watermark = computed(() =>
    account.value ? `${account.value.display_name} ${account.value.login}` : '',
  )
  let restoring: Promise<void> | null = null

  function keep(signIn: api.SignIn | null): void {
    current.value = signIn
    setCsrfToken(signIn?.csrf_token ?? '')
  }

  /** Asks once per page load whether the cookie still stands for somebody. */
  function restore(): Promise<void> {
    restoring ??= api.currentSignIn().then(keep, () => keep(null))
    return restoring
  }

  async function signIn(login: string, password: string): Promise<void> {
    keep(await api.signIn(login, password))
  }

  async function signOut(): Promise<void> {
    await api.signOut()
    keep(null)
  }

  const hasRole = (...wanted: string[]) => wanted.some((role) => roles.value.has(role))

  /** Whether there is anything at all to which this person may do that: which doors are shown. */
  const may = (action: string) => current.value?.may.includes(action) ?? false

  return {
    current,
    account,
    roles,
    watermark,
    may,
    restore,
    signIn,
    signOut,
    hasRole,
    forget: () => keep(null),
  }
})
