// Full screen of one element, whose own state is the browser's.
import { onBeforeUnmount, onMounted, type Ref, ref } from 'vue'

export function useFullScreen(element: Ref<HTMLElement | null>) {
  const isFull = ref(false)
  const follow = () => (isFull.value = document.fullscreenElement === element.value && element.value !== null)
  onMounted(() => document.addEventListener('fullscreenchange', follow))
  onBeforeUnmount(() => document.removeEventListener('fullscreenchange', follow))

  async function toggleFull(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen()
      else await element.value?.requestFullscreen()
    } catch {
      // Refused by the browser or the page's frame: the picture stays as it was.
    }
  }

  return { isFull, toggleFull }
}
