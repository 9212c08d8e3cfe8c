// Progress of the rendition ladder.
import type { Recording } from '@/api/recordings'

export interface EncodingView {
  kind: 'none' | 'running' | 'whole' | 'failed'
  share: number
}

export function encodingOf(encoding: Recording['encoding']): EncodingView {
  const { done, total, failed } = encoding
  if (total <= 0) return { kind: 'none', share: 0 }
  const share = Math.min(1, done / total)
  if (failed > 0) return { kind: 'failed', share }
  return { kind: done >= total ? 'whole' : 'running', share }
}
