// One thing a page needs: loading, there, or a problem that can be tried again.
import { ref, shallowRef } from 'vue'
import { useWords } from './format/useWords'

export function useLoad<T>(read: () => Promise<T>) {
  const value = shallowRef<T | null>(null)
  const loading = ref(true)
  const trouble = ref('')
  const { problem } = useWords()
  let turn = 0

  /** Reads anew. An answer that a later one overtook is dropped. */
  async function load(): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const found = await read()
      if (mine !== turn) return
      value.value = found
      trouble.value = ''
    } catch (error) {
      if (mine === turn) trouble.value = problem(error)
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  void load()
  return { value, loading, trouble, load }
}
