// The state of one player as refs, and its few verbs. The parts of the player only read and call these.
import Hls, { type LevelDetails } from 'hls.js'
import { computed, onScopeDispose, reactive, type Ref, ref, shallowRef, watch } from 'vue'
import type { Playback } from '@/api/shapes'
import { playsHere, start } from './engine'
import { behindSeconds, clampSeek, clockAt, isAtLive, livePosition } from './liveEdge'
import { recall, remember } from './volumeMemory'

export type Status = 'loading' | 'playing' | 'paused' | 'waiting' | 'ended' | 'failed'

export interface Quality {
  index: number
  height: number
  kbps: number
}

export interface PlayerOptions {
  live: boolean
  source: () => Promise<Playback>
  autoplay: boolean
  muted: boolean
}

export type Player = ReturnType<typeof usePlayer>

export function usePlayer(video: Ref<HTMLVideoElement | null>, options: PlayerOptions) {
  const status = ref<Status>('loading')
  const trouble = shallowRef<unknown>(null)
  const unplayable = ref('')
  const struggling = ref(false)
  const mutedByBrowser = ref(false)
  const media = reactive({ position: 0, start: 0, end: 0, bufferedTo: 0, volume: 1, muted: false, rate: 1 })
  const targetLatency = ref(2)
  const qualities = ref<Quality[]>([])
  const chosenQuality = ref(-1)
  const shownQuality = ref(-1)
  let hls: Hls | null = null
  let details: LevelDetails | null = null
  let reloads = 0
  let soughtEarly: number | null = null

  const liveWindow = computed(() => ({
    start: media.start,
    edge: media.end,
    targetLatency: targetLatency.value,
  }))
  const behind = computed(() => behindSeconds(liveWindow.value, media.position))
  const atLive = computed(() => isAtLive(liveWindow.value, media.position))

  async function load(from: number | null = null): Promise<void> {
    const element = video.value
    if (!element) return
    status.value = 'loading'
    trouble.value = null
    unplayable.value = ''
    try {
      const { url } = await options.source()
      if (video.value !== element) return
      play(element, url, from)
    } catch (error) {
      trouble.value = error
      status.value = 'failed'
    }
  }

  function play(element: HTMLVideoElement, url: string, from: number | null): void {
    hls?.destroy()
    hls = null
    details = null
    const how = playsHere(element)
    if (how === null) return fail('unsupported')
    if (how === 'native') {
      element.src = url
      if (options.autoplay) void begin()
      return
    }
    hls = start(element, url, options.live, from, {
      refused: () => void renew(),
      struggling: () => (struggling.value = true),
      failed: fail,
    })
    listen(hls)
  }

  function listen(engine: Hls): void {
    engine.on(Hls.Events.MANIFEST_PARSED, (_event, data) => {
      qualities.value = data.levels
        .map((level, index) => ({ index, height: level.height, kbps: Math.round(level.bitrate / 1000) }))
        .sort((a, b) => b.height - a.height || b.kbps - a.kbps)
      chosenQuality.value = -1
      if (options.autoplay) void begin()
      else status.value = 'paused'
    })
    engine.on(Hls.Events.LEVEL_SWITCHED, (_event, data) => (shownQuality.value = data.level))
    engine.on(Hls.Events.LEVEL_UPDATED, (_event, data) => {
      details = data.details
      struggling.value = false
      measure()
    })
    engine.on(Hls.Events.FRAG_BUFFERED, () => {
      struggling.value = false
      reloads = 0
    })
  }

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

  async function renew(): Promise<void> {
    hls?.stopLoad()
    reloads += 1
    // The api answers for the refusal: it gives a fresh address, or says why this viewer may watch no longer.
    await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 500 * 2 ** reloads)))
    const here = media.position
    await load(options.live && atLive.value ? null : here)
  }

  function fail(reason: string): void {
    unplayable.value = reason
    status.value = 'failed'
  }

  function measure(): void {
    const element = video.value
    if (!element) return
    media.position = element.currentTime
    if (details?.live) {
      media.start = details.fragmentStart
      media.end = details.edge
    } else {
      media.start = 0
      media.end = Number.isFinite(element.duration) ? element.duration : 0
    }
    targetLatency.value = hls?.targetLatency ?? 2
    const ranges = element.buffered
    media.bufferedTo = ranges.length ? ranges.end(ranges.length - 1) : 0
  }

  const clock = (position: number) => (details ? clockAt(details.fragments, position) : null)

  function seek(position: number): void {
    const element = video.value
    if (!element) return
    if (media.end <= media.start) {
      soughtEarly = position // nothing is known of the media yet: sought as soon as it is
      return
    }
    element.currentTime = clampSeek(
      media.start,
      options.live ? livePosition(liveWindow.value) : media.end,
      position,
    )
    measure()
  }

  function goLive(): void {
    const element = video.value
    if (!element) return
    element.currentTime = hls?.liveSyncPosition ?? livePosition(liveWindow.value)
    void begin()
  }

  function toggle(): void {
    const element = video.value
    if (!element) return
    if (element.paused) void begin()
    else element.pause()
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

  function setRate(rate: number): void {
    if (video.value) video.value.playbackRate = rate
    media.rate = rate
  }

  function setQuality(index: number): void {
    chosenQuality.value = index
    if (hls) hls.nextLevel = index
  }

  const EVENTS: Record<string, () => void> = {
    timeupdate: measure,
    durationchange: () => {
      measure()
      if (soughtEarly === null || media.end <= media.start) return
      const position = soughtEarly
      soughtEarly = null
      seek(position)
    },
    progress: measure,
    seeking: measure,
    seeked: measure,
    playing: () => (status.value = 'playing'),
    pause: () => {
      if (!video.value?.ended && status.value !== 'failed') status.value = 'paused'
    },
    waiting: () => (status.value = 'waiting'),
    ended: () => (status.value = 'ended'),
    volumechange: () => {
      const element = video.value
      if (!element) return
      media.volume = element.volume
      media.muted = element.muted
      if (!options.muted && !mutedByBrowser.value) remember({ volume: element.volume, muted: element.muted })
    },
  }

  watch(
    video,
    (element, before) => {
      for (const [name, then] of Object.entries(EVENTS)) {
        before?.removeEventListener(name, then)
        element?.addEventListener(name, then)
      }
      if (!element) return
      const kept = recall()
      element.volume = kept.volume
      element.muted = options.muted || kept.muted
      media.volume = element.volume
      media.muted = element.muted
      void load()
    },
    { immediate: true, flush: 'post' },
  )

  onScopeDispose(() => {
    hls?.destroy()
    hls = null
  })

  return {
    status,
    trouble,
    unplayable,
    struggling,
    mutedByBrowser,
    media,
    qualities,
    chosenQuality,
    shownQuality,
    behind,
    atLive,
    load,
    seek,
    goLive,
    toggle,
    setVolume,
    setMuted,
    setRate,
    setQuality,
    clock,
  }
}
