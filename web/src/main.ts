// Puts the application together: language first, so that the first words are right.
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n } from './i18n'
import { router } from './router'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import './theme/base.css'
import './theme/element.css'

createApp(App).use(createPinia()).use(i18n).use(router).mount('#app')
