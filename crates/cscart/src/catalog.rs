//! Products and categories: `/api/products`, `/api/categories` (the documentation,
//! `developer_guide/api/entities/categories.rst`).

use jiff::Timestamp;

use crate::{
    CategoryId, CompanyId, ProductId, loose,
    record::{entity, record},
};

record! {
    /// A product of the catalogue.
    CatalogProduct {
        /// Its id.
        product_id: Option<ProductId> = "loose::opt_id",
        /// Its name.
        product: Option<String> = "loose::opt_string",
        /// Its code (SKU).
        product_code: Option<String> = "loose::opt_string",
        /// `A` active, `D` disabled, `H` hidden.
        status: Option<String> = "loose::opt_string",
        /// Its price, as a decimal number.
        price: Option<String> = "loose::opt_string",
        /// How many there are; it may be negative, and is text for that.
        amount: Option<String> = "loose::opt_string",
        /// Whose it is: the storefront's or the vendor's.
        company_id: Option<CompanyId> = "loose::opt_id",
        /// The categories that it is in.
        category_ids: Vec<CategoryId> = "loose::ids",
        /// The first of them.
        main_category: Option<CategoryId> = "loose::opt_id",
        /// When it was made.
        timestamp: Option<Timestamp> = "loose::opt_time",
        /// When it was last changed.
        updated_timestamp: Option<Timestamp> = "loose::opt_time",
    }
}

entity!(CatalogProduct, product_id: ProductId, "products", "products");

record! {
    /// A category of the catalogue.
    Category {
        /// Its id.
        category_id: Option<CategoryId> = "loose::opt_id",
        /// Its name.
        category: Option<String> = "loose::opt_string",
        /// The category above it; `None` at the top.
        parent_id: Option<CategoryId> = "loose::opt_id",
        /// The ids of those above it and its own, as `166/167`.
        id_path: Option<String> = "loose::opt_string",
        /// `A` active, `D` disabled, `H` hidden.
        status: Option<String> = "loose::opt_string",
        /// Whose it is.
        company_id: Option<CompanyId> = "loose::opt_id",
        /// How many products are in it.
        product_count: Option<u64> = "loose::opt_u64",
        /// When it was made.
        timestamp: Option<Timestamp> = "loose::opt_time",
    }
}

entity!(Category, category_id: CategoryId, "categories", "categories");
