<title>{$title}</title>{$content nofilter}
