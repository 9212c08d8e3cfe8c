// One thing a button does: busy while it runs, its problem said in words, its success optionally too.
import { ElMessage } from 'element-plus'
import { ref } from 'vue'
import { useWords } from './format/useWords'

/** `say` has the first word about what went wrong; null leaves it to the usual sentences. */
export function useAction(say: (error: unknown) => string | null = () => null) {
  const busy = ref(false)
  const trouble = ref('')
  const { problem } = useWords()

  /** True when it went through. */
  async function run(what: () => Promise<unknown>, done?: string): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    trouble.value = ''
    try {
      await what()
      if (done) ElMessage.success({ message: done, grouping: true })
      return true
    } catch (error) {
      trouble.value = say(error) ?? problem(error)
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, trouble, run }
}
