import 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's name in the locale files. */
    title?: string
    /** Open to visitors who have not signed in. */
    open?: boolean
    /** The action without which the page has nothing to show. */
    needs?: string
    /** The door in the header that stays lit: the list in which this page's thing stands. */
    door?: string
    /** The page is a stage: dark ground, full width. */
    stage?: boolean
  }
}
