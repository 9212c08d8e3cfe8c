// The viewer's volume, remembered in this browser.

export interface Volume {
  volume: number
  muted: boolean
}

const KEY = 'lectern.volume'

export function recall(): Volume {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Volume>
    const volume = typeof kept.volume === 'number' && kept.volume >= 0 && kept.volume <= 1 ? kept.volume : 1
    return { volume, muted: kept.muted === true }
  } catch {
    return { volume: 1, muted: false }
  }
}

export function remember(volume: Volume): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(volume))
  } catch {
    // Storage refused: the volume lasts as long as the page.
  }
}
