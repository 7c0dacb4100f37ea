from celery import Task

from modules.storefront.interface.pages import Page
