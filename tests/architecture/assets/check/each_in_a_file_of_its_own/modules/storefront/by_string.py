name = "modules.storefront.test_pages.home"
