# The requests of the seed document, word for word.

curl -X POST "http://localhost:8000/api/v1/auth/register" \
  -H "Content-Type: application/json" \
  -d '{
    "email": "user@example.com",
    "password": "securepassword123",
    "full_name": "John Doe"
  }'

curl -X POST "http://localhost:8000/api/v1/auth/login" \
  -H "Content-Type: application/json" \
  -d '{
    "email": "user@example.com",
    "password": "securepassword123"
  }'

curl -X GET "http://localhost:8000/api/v1/products" \
  -H "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..."

curl -X POST "http://localhost:8000/api/v1/auth/refresh" \
  -H "Content-Type: application/json" \
  -d '{
    "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..."
  }'

curl -X POST "http://localhost:8000/api/v1/products" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "sku": "WDG-001",
    "name": "Widget A",
    "category": "Electronics",
    "current_stock": 100,
    "reorder_threshold": 20,
    "unit_cost": 12.99
  }'

# Get all products
curl -X GET "http://localhost:8000/api/v1/products" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Filter by category
curl -X GET "http://localhost:8000/api/v1/products?category=Electronics" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Search products
curl -X GET "http://localhost:8000/api/v1/products?search=widget" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X PUT "http://localhost:8000/api/v1/products/PRODUCT_ID" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "current_stock": 150,
    "reorder_threshold": 25
  }'

# Add stock (positive quantity)
curl -X POST "http://localhost:8000/api/v1/inventory/adjust" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "product_id": "PRODUCT_ID",
    "quantity": 50,
    "reason": "Received shipment from vendor"
  }'

# Remove stock (negative quantity)
curl -X POST "http://localhost:8000/api/v1/inventory/adjust" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "product_id": "PRODUCT_ID",
    "quantity": -10,
    "reason": "Sold to customer"
  }'

# All movements
curl -X GET "http://localhost:8000/api/v1/inventory/movements" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Movements for specific product
curl -X GET "http://localhost:8000/api/v1/inventory/movements?product_id=PRODUCT_ID" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Product history
curl -X GET "http://localhost:8000/api/v1/inventory/products/PRODUCT_ID/history" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X POST "http://localhost:8000/api/v1/barcode/scan" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "barcode": "012345678905"
  }'

curl -X GET "http://localhost:8000/api/v1/barcode/lookup/012345678905" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X POST "http://localhost:8000/api/v1/barcode/link" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "barcode": "012345678905",
    "product_id": "PRODUCT_ID"
  }'

curl -X GET "http://localhost:8000/api/v1/predictions/PRODUCT_ID" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X POST "http://localhost:8000/api/v1/predictions/train" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "product_id": "PRODUCT_ID",
    "force_retrain": false
  }'

curl -X GET "http://localhost:8000/api/v1/predictions/batch" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X GET "http://localhost:8000/api/v1/predictions/PRODUCT_ID/data-summary" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X POST "http://localhost:8000/api/v1/vendors" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Acme Supplies",
    "contact_email": "sales@acme.com",
    "contact_phone": "+1-555-0100",
    "address": "123 Main St, City, State 12345"
  }'

curl -X POST "http://localhost:8000/api/v1/vendors/VENDOR_ID/prices" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "product_id": "PRODUCT_ID",
    "unit_price": 12.99,
    "lead_time_days": 7,
    "minimum_order_quantity": 10
  }'

curl -X GET "http://localhost:8000/api/v1/products/PRODUCT_ID/vendors" \
  -H "Authorization: Bearer YOUR_TOKEN"

# All alerts
curl -X GET "http://localhost:8000/api/v1/alerts" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Filter by status
curl -X GET "http://localhost:8000/api/v1/alerts?status=active" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Filter by type and severity
curl -X GET "http://localhost:8000/api/v1/alerts?alert_type=low_stock&severity=critical" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X POST "http://localhost:8000/api/v1/alerts/ALERT_ID/acknowledge" \
  -H "Authorization: Bearer YOUR_TOKEN"

curl -X POST "http://localhost:8000/api/v1/alerts/ALERT_ID/resolve" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Get settings
curl -X GET "http://localhost:8000/api/v1/alerts/settings" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Update settings
curl -X PUT "http://localhost:8000/api/v1/alerts/settings" \
  -H "Authorization: Bearer YOUR_TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "alert_threshold_days": 14,
    "low_stock_enabled": true,
    "predicted_depletion_enabled": true
  }'

curl -X GET "http://localhost:8000/health"

curl -X GET "http://localhost:8000/api/v1/metrics" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Get first 10 products
curl -X GET "http://localhost:8000/api/v1/products?skip=0&limit=10" \
  -H "Authorization: Bearer YOUR_TOKEN"

# Get next 10 products
curl -X GET "http://localhost:8000/api/v1/products?skip=10&limit=10" \
  -H "Authorization: Bearer YOUR_TOKEN"
