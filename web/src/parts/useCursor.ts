// A list read page by page: the next page is asked for with the cursor of the last.
import { ref, shallowRef } from 'vue'
import type { Page } from '@/api/shapes'
import { useWords } from './format/useWords'

export function useCursor<T>(read: (cursor: string | null) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([])
  const next = ref<string | null>(null)
  const loading = ref(false)
  const loaded = ref(false)
  const trouble = ref('')
  const { problem } = useWords()
  let turn = 0

  async function ask(cursor: string | null, mine: number): Promise<void> {
    loading.value = true
    try {
      const page = await read(cursor)
      if (mine !== turn) return
      items.value = cursor ? [...items.value, ...page.items] : page.items
      next.value = page.next_cursor
      trouble.value = ''
      loaded.value = true
    } catch (error) {
      if (mine === turn) trouble.value = problem(error)
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  /** Begins anew; what an earlier filter is still answering is dropped. */
  const restart = () => ask(null, ++turn)
  const more = () => (next.value && !loading.value ? ask(next.value, turn) : Promise.resolve())

  return { items, next, loading, loaded, trouble, restart, more }
}
