// Sets the theme that was chosen here before, ahead of the first paint. A classic script, because modules run too late.

(() => {
    try {
        const theme = localStorage.getItem('theme');
        if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    } catch {
        // A browser that keeps nothing follows the system.
    }
})();
