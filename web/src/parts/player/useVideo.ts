// The video element as refs: whether it plays, where it is, how loud; and its plain verbs. Knows nothing of HLS.
import { onScopeDispose, reactive, type Ref, ref, watch } from 'vue'
import { recall, remember } from './volumeMemory'

export type Status = 'loading' | 'playing' | 'paused' | 'waiting' | 'ended' | 'failed'

export interface VideoOptions {
  muted: boolean
  /** Called whenever time, duration or buffer may have changed. */
  moved: (element: HTMLVideoElement) => void
}

export function useVideo(video: Ref<HTMLVideoElement | null>, options: VideoOptions) {
  const status = ref<Status>('loading')
  const mutedByBrowser = ref(false)
  const sound = reactive({ volume: 1, muted: false })
  const rate = ref(1)

  /** Plays with sound; a browser that allows none before a click plays muted, and the page says so. */
  async function begin(): Promise<void> {
    const element = video.value
    if (!element) return
    try {
      await element.play()
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return
      element.muted = true
      mutedByBrowser.value = !options.muted
      await element.play().catch(() => (status.value = 'paused'))
    }
  }

  function toggle(): void {
    if (video.value?.paused) void begin()
    else video.value?.pause()
  }

  function setVolume(volume: number): void {
    const element = video.value
    if (!element) return
    element.volume = Math.min(1, Math.max(0, volume))
    element.muted = volume <= 0
    mutedByBrowser.value = false
  }

  function setMuted(muted: boolean): void {
    if (video.value) video.value.muted = muted
    mutedByBrowser.value = false
  }

  function setRate(wanted: number): void {
    if (video.value) video.value.playbackRate = wanted
    rate.value = wanted
  }

  function heard(element: HTMLVideoElement): void {
    sound.volume = element.volume
    sound.muted = element.muted
    if (!options.muted && !mutedByBrowser.value) remember({ ...sound })
  }

  function paused(element: HTMLVideoElement): void {
    if (!element.ended && status.value !== 'failed') status.value = 'paused'
  }

  const events: Record<string, (element: HTMLVideoElement) => void> = {
    timeupdate: options.moved,
    durationchange: options.moved,
    progress: options.moved,
    seeking: options.moved,
    seeked: options.moved,
    playing: () => (status.value = 'playing'),
    pause: paused,
    waiting: () => (status.value = 'waiting'),
    ended: () => (status.value = 'ended'),
    volumechange: heard,
  }

  /** Follows the element until `release` is called. */
  function follow(element: HTMLVideoElement): () => void {
    const stop = new AbortController()
    for (const [name, then] of Object.entries(events)) {
      element.addEventListener(name, () => then(element), { signal: stop.signal })
    }
    const kept = recall()
    element.volume = kept.volume
    element.muted = options.muted || kept.muted
    Object.assign(sound, { volume: element.volume, muted: element.muted })
    return () => stop.abort()
  }

  let release: () => void = () => undefined
  watch(
    video,
    (element) => {
      release()
      release = element ? follow(element) : () => undefined
    },
    { immediate: true, flush: 'post' },
  )
  onScopeDispose(() => release())

  return { status, mutedByBrowser, sound, rate, begin, toggle, setVolume, setMuted, setRate }
}
